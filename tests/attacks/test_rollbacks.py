"""Attacks on rollbacks: forged, borrowed, replayed and late orders move nothing."""

from datetime import date, timedelta

import pytest

from gatewright.core.approval import CLOCK_SKEW
from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import ApprovalError, NotFoundError
from gatewright.core.policy import RollbackTerms
from gatewright.core.records import canonical_json
from gatewright.core.rollback_order import (
    LIFETIME,
    RollbackOrder,
    RollbackStamp,
    RollbackStatement,
    claim_of,
    operation_in,
    rollback_statement,
)
from gatewright.core.rollback_proof import accept_rollback, prove_rollback
from gatewright.core.roster import Machine, PublicKey, Roster
from gatewright.core.signatures import APPROVAL, BREAK_GLASS, GATEWAY_STAMP, ROLLBACK, ROLLBACK_STAMP
from gatewright.core.statements import statement_for
from gatewright.core.tokens import parse_token, token_of
from gatewright.core.way_back import WayBack, way_back
from tests.core.examples import NOW, in_force, policy, request
from tests.core.owners import key_of, person, signer
from tests.fakes import FakeSignatures

MODELS = {"example-1": "1" * 64, "example-2": "2" * 64, "example-3": "3" * 64}
REASON = "It misses too many of the old."
SOON = NOW + timedelta(minutes=5)
TERMS = RollbackTerms(roles=("risk",), assurance="declared")
GATEWAY = Machine(id="gateway", role="gateway", keys=(PublicKey(key=key_of("gateway"), added=date(2025, 1, 1)),))
ADA = person("ada.risk")


def moved(*releases: str) -> list[ChannelEntry]:
    """Each was deployed and confirmed, the last one serves since an hour before now."""
    return [
        ChannelEntry(
            action=action, release_id=name, model_sha256=MODELS[name], actor="x", reason="y", operation=name,
            at=NOW - timedelta(hours=1),
        )
        for name in releases
        for action in ("deploy", "confirm")
    ]  # fmt: skip


MOVES = moved("example-1", "example-2", "example-3")


def way(moves=MOVES, to=None, model="example", environment="production") -> WayBack:
    return way_back(moves, model, environment, to)


def terms(assurance="declared", **changes):
    return in_force(policy(rollback=TERMS.model_copy(update={"assurance": assurance, **changes})))


def roster(*people, machines=(GATEWAY,)):
    return in_force(Roster(version=1, people=people or (ADA, person("ben.risk")), machines=machines))


def signed(*, by=None, namespace=ROLLBACK, **changes) -> str:
    """What somebody signs for going one step back; ``changes`` of the statement are signed too."""
    said = rollback_statement(
        way(), terms(), roster(), operation="back-1", principal="ada.risk", reason=REASON, issued=NOW
    )
    body = said.model_copy(update=changes).to_bytes()
    return token_of(body, (by or signer("ada.risk")).sign(body, namespace=namespace))


def stamped(*, by=None, namespace=ROLLBACK_STAMP, **changes) -> str:
    """What the gateway makes of a start by Ada, of one step back."""
    said = RollbackStamp(
        kind="rollback-stamp", model="example", environment="production", to_release=None, operation="back-1",
        principal="ada.risk", reason=REASON, at=NOW,
    )  # fmt: skip
    body = said.model_copy(update=changes).to_bytes()
    return token_of(body, (by or signer("gateway")).sign(body, namespace=namespace))


def order(token=None, **changes) -> RollbackOrder:
    """The run's parameters as they should be beside any of these tokens."""
    given = {"model": "example", "to_release": None, "actor": "ada.risk", "reason": REASON, "operation": "back-1"}
    return RollbackOrder.model_validate({**given, "token": token, **changes})


def accepted(token=None, *, going=None, policy=None, people=None, at=SOON, **changes):
    claim = claim_of(order(token, **changes))
    return accept_rollback(claim, going or way(), policy or terms(), people or roster(), FakeSignatures(), at=at)


def refused(says, token=None, **given):
    with pytest.raises(ApprovalError, match=says):
        accepted(token, **given)


@pytest.mark.parametrize(("token", "surely"), [(None, "declared"), (stamped(), "gateway"), (signed(), "signed")])
def test_who_what_and_why_are_recorded_with_their_proof(token, surely):
    """One step back leads to the release before; the token is kept as it came."""
    found = accepted(token)
    assert (found.principal, found.role, found.reason, found.assurance) == ("ada.risk", "risk", REASON, surely)
    assert (found.to_release, found.to_model_sha256) == ("example-2", MODELS["example-2"])
    assert (found.operation, found.proof) == ("back-1", token or "")


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "another"}, {"environment": "staging"}, {"to_release": "example-1"}, {"to_model_sha256": "9" * 64},
        {"from_generation": 5}, {"from_model_sha256": "9" * 64}, {"policy_sha256": "9" * 64},
        {"roster_sha256": "9" * 64},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_a_statement_about_another_move_is_refused(changes):
    """Another model, channel, release, bytes, policy or roster; or the channel is not where it was said to be."""
    given = {name: value for name, value in changes.items() if name in ("model", "to_release")}
    refused("about another", signed(**changes), **given)


def test_a_statement_is_spent_once_the_channel_has_moved():
    """Its own move, and anybody else's; also back to the same model."""
    back = [move.model_copy(update={"action": a, "operation": "back-1"}) for move, a in
            ((MOVES[2], "rollback"), (MOVES[3], "confirm"))]  # fmt: skip
    again = [move.model_copy(update={"operation": "again"}) for move in MOVES[4:]]
    for moves in ([*MOVES, *back], [*MOVES, *back, *again]):
        refused("about another", signed(), going=way(moves, "example-2"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "another"}, "another model"), ({"environment": "staging"}, "another model or channel"),
        ({"to_release": "example-1"}, "for another release"),
    ],
)  # fmt: skip
def test_a_stamp_for_another_rollback_is_refused(changes, says):
    """The gateway stamped a start for another model, channel or release."""
    given = {name: value for name, value in changes.items() if name == "model"}
    refused(says, stamped(**changes), **given)


def test_a_stamp_for_one_step_back_leads_nowhere_else():
    """Whoever replays it cannot name a release of their own; one that it names counts."""
    refused("for another release", stamped(), going=way(to="example-1"))
    assert accepted(stamped(to_release="example-1"), going=way(to="example-1")).to_release == "example-1"


def test_a_stamp_does_not_count_once_the_channel_has_moved():
    """It was meant for what served then; clocks may differ by two minutes."""
    for late, counts in ((CLOCK_SKEW, True), (CLOCK_SKEW + timedelta(seconds=1), False)):
        moves = [*MOVES[:-1], MOVES[-1].model_copy(update={"at": NOW + late})]
        if counts:
            assert accepted(stamped(), going=way(moves)).assurance == "gateway"
        else:
            refused("the channel has moved since", stamped(), going=way(moves))


@pytest.mark.parametrize("make", [signed, stamped])
def test_it_counts_for_an_hour_and_not_from_the_future(make):
    """To the second; clocks may differ by two minutes."""
    assert accepted(make(), at=NOW + LIFETIME)
    assert accepted(make(), at=NOW - CLOCK_SKEW)
    refused("more than an hour ago", make(), at=NOW + LIFETIME + timedelta(seconds=1))
    refused("in the future", make(), at=NOW - CLOCK_SKEW - timedelta(seconds=1))


def test_nobody_gives_themselves_more_time():
    """A statement that holds for a day is none."""
    refused("does not expire within an hour", signed(expires=NOW + timedelta(days=1)))


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ((person("ben.risk"),), "is not in version 1"),
        ((person("ada.risk", left=date(2026, 3, 1)),), "not active today"),
        ((ADA.model_copy(update={"roles": ("data-scientist",)}),), "holds no role"),
        ((ADA.model_copy(update={"joined": date(2026, 3, 3)}),), "not active today"),
    ],
)
@pytest.mark.parametrize("make", [lambda: None, stamped, signed], ids=["declared", "gateway", "signed"])
def test_whoever_may_not_cannot_however_sure_the_name_is(make, people, says):
    """Not in the roster, left, without the role, or not there yet."""
    changed = roster(*people)
    token = make()
    if token and parse_token(token).kind == "rollback":
        token = signed(roster_sha256=changed.sha256)
    refused(says, token, people=changed)


@pytest.mark.parametrize("gone", [{"revoked": SOON}, {"added": date(2026, 3, 3)}, {"key": key_of("another")}])
def test_a_key_that_does_not_count_signs_nothing(gone):
    """Revoked to the second, not added yet, or another one; of a person, and of the gateway."""
    keys = (ADA.keys[0].model_copy(update=gone),)
    changed = roster(ADA.model_copy(update={"keys": keys}))
    refused("nobody has revoked", signed(roster_sha256=changed.sha256), people=changed)
    machine = GATEWAY.model_copy(update={"keys": (GATEWAY.keys[0].model_copy(update=gone),)})
    refused("not signed by an identity gateway", stamped(), people=roster(machines=(machine,)))


def test_somebody_elses_key_does_not_sign_for_me():
    """A colleague's, a stranger's, the gateway's for a person, a person's for the gateway."""
    for other in ("ben.risk", "nobody", "gateway"):
        refused("not signed by a key of ada.risk", signed(by=signer(other)))
    for other in ("ada.risk", "nobody"):
        refused("not signed by an identity gateway", stamped(by=signer(other)))


@pytest.mark.parametrize("namespace", [APPROVAL, BREAK_GLASS, GATEWAY_STAMP, ROLLBACK_STAMP])
def test_a_signature_for_another_purpose_is_refused(namespace):
    """What was signed to approve does not roll back; nor does a stamp of an answer stamp a rollback."""
    refused("not signed by a key of ada.risk", signed(namespace=namespace))
    if namespace != ROLLBACK_STAMP:
        refused("not signed by an identity gateway", stamped(namespace=namespace))


def test_a_token_of_another_kind_is_refused():
    """An approval, and what is no token at all."""
    said = statement_for(request(), principal="ada.risk", meaning="approve", reason=REASON, issued=NOW).to_bytes()
    refused("of no kind that rolls back", token_of(said, signer("ada.risk").sign(said, namespace=ROLLBACK)))
    refused("cannot be read", "not a token")


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "another"}, {"actor": "ben.risk"}, {"reason": "A reason that nobody signed."},
        {"operation": "back-2"}, {"to_release": "example-1"},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_parameters_that_say_something_else_than_the_token_are_refused(changes):
    """Whoever reads them in Prefect would read what nobody signed."""
    for token in (signed(), stamped()):
        refused(f"another {next(iter(changes))} than the token", token, **changes)


def test_a_body_that_is_not_canonical_is_refused():
    """One meaning, one form."""
    body = parse_token(signed()).body
    said = parse_token(signed()).read(RollbackStatement).model_dump(mode="json")
    for other in (
        body + b" ",
        canonical_json({**said, "extra": 1}),
        body.replace(b'"from_generation":6', b'"from_generation":6.0'),
    ):
        refused("token", token_of(other, signer("ada.risk").sign(other, namespace=ROLLBACK)))  # fmt: skip


@pytest.mark.parametrize(("asked", "enough"), [("gateway", {"gateway", "signed"}), ("signed", {"signed"})])
def test_the_policy_may_ask_for_a_surer_name(asked, enough):
    """A typed name, and a stamp where a signature is asked, are not enough; more always is."""
    strict = terms(asked)
    orders = {"declared": None, "gateway": stamped(), "signed": signed(policy_sha256=strict.sha256)}
    for surely, token in orders.items():
        if surely in enough:
            assert accepted(token, policy=strict).assurance == surely
        else:
            refused("is not enough", token, policy=strict)


def test_a_policy_may_name_other_roles_than_its_tiers():
    """Those of the tiers then do not count."""
    refused("holds no role", policy=terms(roles=("on-call",)))
    refused("holds no role", policy=in_force(policy()))


@pytest.mark.parametrize("make", [lambda **changes: None, stamped, signed], ids=["declared", "gateway", "signed"])
def test_a_reason_is_needed(make):
    """In ten characters."""
    refused("too short", make(reason="urgent!"), reason="urgent!")


def test_nothing_leads_to_what_never_served():
    """A blocked candidate does not get into production this way."""
    with pytest.raises(NotFoundError, match="was never deployed"):
        way(to="example-9")


@pytest.mark.parametrize("token", [None, stamped(), signed()], ids=["declared", "gateway", "signed"])
def test_a_recorded_rollback_is_proven_again_from_its_own_bytes(token):
    """Whatever was edited in it, it does not hold any more."""
    found = accepted(token)

    def prove(record):
        prove_rollback(record, way(to="example-2"), terms(), roster(), FakeSignatures(), at=SOON)

    prove(found)
    edits = [{"role": "owner"}, {"to_model_sha256": "9" * 64}, {"environment": "staging"}]
    edits += [{"principal": "ben.risk"}, {"reason": "Another reason than given."}] if token else []
    edits += [{"assurance": "signed"}] if not token else [{"assurance": "declared"}, {"proof": ""}]
    for changes in edits:
        with pytest.raises(ApprovalError):
            prove(found.model_copy(update=changes))


def test_the_operation_comes_from_the_token_where_no_other_is_named():
    """A run that is given a token alone takes the right name."""
    assert [operation_in(token) for token in (signed(), stamped(), None, "", "none")] == [
        "back-1",
        "back-1",
        *[None] * 3,
    ]
