"""Attacks on approvals: forged, replayed, borrowed and late statements prove nothing."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.approval import CLOCK_SKEW, accept, quorum, verify
from gatewright.core.errors import ApprovalError
from gatewright.core.records import canonical_json
from gatewright.core.roster import Machine, Person, PublicKey, Roster
from gatewright.core.signatures import APPROVAL, CHECKPOINT, GATEWAY_STAMP, WAIVER
from gatewright.core.statements import Answer, GatewayStamp, Pause, statement_for
from gatewright.core.tokens import token_of
from tests.core.examples import DIGEST, NOW, policy, request
from tests.fakes import FakeSignatures, FakeSigner

SIGNED = policy().tiers[0].model_copy(update={"assurance": "signed", "approvals": 2})
GATEWAY = SIGNED.model_copy(update={"assurance": "gateway"})
ASKED = request(tier=SIGNED)
AT = NOW + timedelta(minutes=5)
PAUSE = Pause(run_id="run-1", key="approval-1")
OTHER = "cd" * 32


def key(name: str, **changes) -> PublicKey:
    made = PublicKey(key=f"ssh-ed25519 {name.encode().hex():A<60}", added=date(2025, 1, 1))
    return made.model_copy(update=changes)


def person(name: str, *keys: PublicKey, **changes) -> Person:
    made = Person(id=name, name=name, roles=("release-manager",), joined=date(2024, 1, 1), keys=keys or (key(name),))
    return made.model_copy(update=changes)


PEOPLE = {name: person(name) for name in ("dana.reyes", "sam.okafor", "ann.author")}
MACHINES = (Machine(id="gateway", role="gateway", keys=(key("gateway"),)),)


def roster(**changed: Person) -> Roster:
    people = {**PEOPLE, **{one.id: one for one in changed.values()}}
    return Roster(version=1, people=tuple(people.values()), machines=MACHINES)


def signed(asked=ASKED, *, principal="dana.reyes", by=None, namespace=APPROVAL, meaning="approve", at=NOW, **changes):
    """What somebody pastes who signed for ``principal`` with the key ``by``."""
    said = statement_for(asked, principal=principal, meaning=meaning, reason="The evidence is sound.", issued=at)
    body = said.model_copy(update=changes).to_bytes()
    signer = FakeSigner((by or key(principal)).key)
    return token_of(body, signer.sign(body, namespace=namespace))


def stamped(asked, *, by="gateway", namespace=GATEWAY_STAMP, **changes):
    said = GatewayStamp(
        kind="gateway-stamp", run_id=PAUSE.run_id, pause_key=PAUSE.key, evidence_root=asked.evidence_root,
        nonce=asked.nonce, decision="approve", principal="dana.reyes", reason="The evidence is sound.", at=NOW,
    ).model_copy(update=changes)  # fmt: skip
    body = said.to_bytes()
    return token_of(body, FakeSigner(key(by).key).sign(body, namespace=namespace))


def answered(token, *, asked=ASKED, rosters=None, decision="approve", at=AT, earlier=(), pause=PAUSE):
    typed = Answer(decision=decision, approver="whoever", reason="whatever was typed", token=token)
    return accept(typed, asked, rosters or [roster()], FakeSignatures(), pause=pause, at=at, earlier=earlier)


def refused(says, token, **given):
    with pytest.raises(ApprovalError, match=says):
        answered(token, **given)


def test_who_what_and_why_come_only_from_the_signed_bytes():
    """What was typed beside the token is not recorded anywhere."""
    approval = answered(signed())
    assert (approval.principal, approval.reason, approval.assurance) == (
        "dana.reyes",
        "The evidence is sound.",
        "signed",
    )
    assert "typed" not in approval.to_bytes().decode()


def test_a_signature_satisfies_a_tier_that_asks_for_the_gateway_only():
    """A higher assurance is worth at least as much."""
    asked = request(tier=GATEWAY)
    assert answered(signed(asked), asked=asked).assurance == "signed"
    assert answered(stamped(asked), asked=asked).assurance == "gateway"


@pytest.mark.parametrize("token", ["none", "", "NONE"])
def test_a_typed_name_is_not_enough_for_a_tier_that_asks_for_more(token):
    """Neither for the gateway nor for a signature."""
    typed = Answer(decision="approve", approver="dana.reyes", reason="The evidence is sound.", token=token)
    for tier in (SIGNED, GATEWAY):
        with pytest.raises(ApprovalError, match="is not enough"):
            accept(typed, request(tier=tier), [roster()], FakeSignatures(), pause=PAUSE, at=AT)


def test_a_stamp_is_not_enough_where_a_signature_is_asked():
    """The gateway can vouch for a login, not for a signature."""
    refused("is not enough", stamped(ASKED))


@pytest.mark.parametrize(
    "changes",
    [
        {"release_id": "example-2"}, {"environment": "staging"}, {"model": "another"}, {"model_sha256": OTHER},
        {"champion_sha256": OTHER}, {"evidence_root": OTHER}, {"policy_sha256": OTHER}, {"policy_version": 2},
        {"roster_sha256": OTHER}, {"roster_version": 2}, {"ledger_head": OTHER}, {"ledger_entries": 4},
        {"nonce": OTHER},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_an_approval_of_something_else_is_refused(changes):
    """On another candidate, the same one later (its nonce), another channel, policy, roster or ledger."""
    refused("about another", signed(**changes))


def test_a_signature_for_another_purpose_is_refused():
    """What somebody signed as a waiver or a checkpoint does not approve."""
    for namespace in (WAIVER, CHECKPOINT, GATEWAY_STAMP):
        refused("not signed by a key of dana.reyes", signed(namespace=namespace))


def test_somebody_elses_key_does_not_sign_for_me():
    """Not a stranger's, and not that of another person of the roster."""
    for other in ("nobody", "sam.okafor"):
        refused("not signed by a key of dana.reyes", signed(by=key(other)))


def test_the_author_cannot_approve_with_any_key():
    """Nor with a second one that the roster names for the same person."""
    second = person("ann.author", key("ann.author"), key("second"))
    for mine in second.keys:
        refused("author", signed(principal="ann.author", by=mine), rosters=[roster(ann=second)])


def test_one_person_with_two_keys_is_one_person():
    """The quorum counts people."""
    two = person("dana.reyes", key("dana.reyes"), key("second"))
    first = answered(signed(), rosters=[roster(dana=two)])
    refused("answered already", signed(by=key("second")), rosters=[roster(dana=two)], earlier=[first])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (person("dana.reyes", left=date(2026, 3, 1)), "not active"),
        (person("dana.reyes", joined=date(2026, 3, 3)), "not active"),
        (person("dana.reyes", roles=("data-scientist",)), "no role"),
        (person("dana.reyes", key("dana.reyes", revoked=AT)), "revoked"),
        (person("dana.reyes", key("dana.reyes", added=date(2026, 3, 3))), "revoked"),
        (person("dana.reyes", key("another")), "revoked"),
    ],
)
def test_the_roster_in_force_counts_as_much_as_the_pinned_one(changed, says):
    """Who left, lost the role, or whose key was revoked since the release opened cannot approve; nor who came since."""
    refused(says, signed(), rosters=[roster(), roster(dana=changed)])
    refused(says, signed(), rosters=[roster(dana=changed), roster()])


def test_a_key_that_is_revoked_later_still_counts_until_then():
    """To the second."""
    later = person("dana.reyes", key("dana.reyes", revoked=AT + timedelta(seconds=1)))
    assert answered(signed(), rosters=[roster(dana=later)]).principal == "dana.reyes"


def test_a_window_that_is_over_by_one_second_is_over():
    """And at its last second it is not."""
    end = ASKED.expires_at
    assert answered(signed(), at=end).decision == "approve"
    refused("window", signed(), at=end + timedelta(seconds=1))


def test_a_statement_with_a_longer_window_than_asked_is_refused():
    """Whoever signs cannot prolong the window."""
    refused("another window", signed(expires=ASKED.expires_at + timedelta(days=1)))


@pytest.mark.parametrize("issued", [NOW - CLOCK_SKEW, AT + CLOCK_SKEW])
def test_clocks_may_differ_by_two_minutes(issued):
    """Exactly that much."""
    assert answered(signed(at=issued)).decision == "approve"


@pytest.mark.parametrize("issued", [NOW - CLOCK_SKEW - timedelta(seconds=1), AT + CLOCK_SKEW + timedelta(seconds=1)])
def test_a_statement_from_before_the_question_or_from_the_future_is_refused(issued):
    """A signature carries no time that anybody else vouches for."""
    refused("in the future", signed(at=issued))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"run_id": "run-2"}, "another question"), ({"pause_key": "approval-2"}, "another question"),
        ({"nonce": OTHER}, "another release"), ({"evidence_root": OTHER}, "another release"),
        ({"at": NOW + timedelta(hours=2)}, "another time"), ({"decision": "reject"}, "the token reject"),
        ({"principal": "nobody.known"}, "is not in version 1"), ({"by": "dana.reyes"}, "not signed by an identity"),
        ({"namespace": APPROVAL}, "not signed by an identity"), ({"reason": "short"}, "too short"),
    ],
)  # fmt: skip
def test_a_stamp_for_anything_else_is_refused(changes, says):
    """Another run, question, release, decision or time; by anybody but the gateway."""
    asked = request(tier=GATEWAY)
    refused(says, stamped(asked, **changes), asked=asked)


def test_a_stamp_without_a_question_is_refused():
    """Nothing waits, so nothing can be resumed."""
    asked = request(tier=GATEWAY)
    refused("another question", stamped(asked), asked=asked, pause=None)


def test_a_rejection_is_signed_too_and_is_no_approval():
    """The form must say what the token says."""
    assert answered(signed(meaning="reject"), decision="reject").decision == "reject"
    refused("the token reject", signed(meaning="reject"), decision="approve")


def test_a_body_that_is_not_canonical_is_refused():
    """One meaning, one form: no duplicate keys, no other order, no spaces, no unknown fields."""
    body = statement_for(ASKED, principal="dana.reyes", meaning="approve", reason="Sound evidence.", issued=NOW)
    plain = body.to_bytes()
    said = body.model_dump(mode="json")
    for other in (
        plain.replace(b'"meaning":"approve"', b'"meaning":"reject","meaning":"approve"'),
        plain.replace(b",", b", ", 1),
        plain + b" ",
        canonical_json({**said, "extra": 1}),
        canonical_json({**said, "policy_version": "1"}),
        b"[" * 5000,
    ):
        token = token_of(other, FakeSigner(key("dana.reyes").key).sign(other, namespace=APPROVAL))
        refused("token", token)


def test_a_recorded_approval_is_proven_again_from_its_own_bytes():
    """Whatever was edited in it, or whoever left since, it does not hold any more."""
    approval = answered(signed())
    verify(approval, ASKED, [roster()], FakeSignatures(), at=AT)
    forged = [
        {"principal": "sam.okafor"}, {"reason": "Another reason than signed."}, {"assurance": "declared"},
        {"assurance": "gateway"}, {"proof": ""}, {"role": "compliance-officer"}, {"decision": "reject"},
        {"request": DIGEST},
    ]  # fmt: skip
    for changes in forged:
        with pytest.raises(ApprovalError):
            verify(approval.model_copy(update=changes), ASKED, [roster()], FakeSignatures(), at=AT)
    gone = roster(dana=person("dana.reyes", left=date(2026, 3, 1)))
    with pytest.raises(ApprovalError, match="not active"):
        verify(approval, ASKED, [roster(), gone], FakeSignatures(), at=AT)


def test_a_quorum_needs_distinct_people_on_exactly_this_request():
    """Two for this tier: one is too few, one twice is refused, another request does not count, a rejection ends it."""

    def enough(*approvals):
        return quorum(approvals, ASKED, [roster()], FakeSignatures(), at=AT)

    dana, sam = answered(signed()), answered(signed(principal="sam.okafor"))
    assert [a.principal for a in enough(dana, sam)] == ["dana.reyes", "sam.okafor"]
    elsewhere = dana.model_copy(update={"request": OTHER})
    assert [a.principal for a in enough(elsewhere, dana, sam)] == ["dana.reyes", "sam.okafor"]
    for too_few in ((), (dana,), (dana, dana), (dana, sam.model_copy(update={"request": OTHER}))):
        with pytest.raises(ApprovalError):
            enough(*too_few)
    against = answered(signed(principal="sam.okafor", meaning="reject"), decision="reject")
    with pytest.raises(ApprovalError, match="rejected"):
        enough(dana, against)


@given(st.text(max_size=200))
def test_no_text_is_a_token_by_chance(text):
    """Whatever is pasted, nothing but a signed statement passes."""
    with pytest.raises(ApprovalError):
        answered(text)
