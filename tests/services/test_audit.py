"""An audit of the store alone: what holds is said, what was changed is found, what cannot be done is told apart."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gatewright.core.audit import Finding, overall
from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import StoreError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.policy import RollbackTerms
from gatewright.core.records import sha256_hex
from gatewright.core.rollback_order import RollbackOrder
from gatewright.core.rollback_proof import AcceptedRollback
from gatewright.services.audit import AuditedStore, Checkpoints, audit_model, audit_release
from gatewright.services.channel_seals import sealed
from gatewright.services.generations import Generation
from gatewright.services.store import ObjectStore
from gatewright.services.targets.base import Target
from tests.fakes import MemoryStore
from tests.services.audit_world import AuditWorld

MODEL, CHANNEL = "triage", "production"


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> AuditWorld:
    """Two releases, a change of the policy, a rollback. Not to be changed."""
    folder = tmp_path_factory.mktemp("year")
    (folder / "keys").mkdir()
    return AuditWorld(folder, folder / "keys").year()


@pytest.fixture
def world(year: AuditWorld) -> AuditWorld:
    """The same year over a store of its own."""
    store = MemoryStore()
    assert isinstance(year.store, MemoryStore)
    store.objects = dict(year.store.objects)
    copied = AuditWorld(year.folder, year.keys, store)
    copied.time = year.time
    return copied


def audit(world: AuditWorld, *, store: ObjectStore | None = None, kept: Checkpoints | None = None, target=None):
    services = world.process()
    audited = AuditedStore.over(store or world.store, services.blobs, services.signatures)
    return audit_model(audited, MODEL, CHANNEL, kept or Checkpoints(world.checkpoints), target=target)


def not_ok(findings: list[Finding]) -> dict[tuple[str, str], str]:
    """What does not hold: check and status -> what was found."""
    return {(one.check, one.status): one.detail for one in findings if one.status != "ok"}


def test_an_untouched_store_is_proven_step_by_step(year: AuditWorld) -> None:
    """Also which version of the policy each release ran under, and who approved it."""
    found = audit(year)
    assert overall(found) == "ok", not_ok(found)
    assert [one.subject for one in found].count("release r1") == 8
    assert [one.subject for one in found].count("release r2") == 8
    by_check = {(one.subject, one.check): one.detail for one in found}
    assert by_check["release r1", "terms in force"].startswith("policy version 3, signed by sam.okafor")
    assert by_check["release r2", "terms in force"].startswith("policy version 4, signed by sam.okafor")
    assert by_check["release r2", "decision"] == "promote, tier standard: 10 results computed again, the same"
    assert "dana.reyes (release-manager, signed)" in by_check["release r2", "approvals"]
    assert by_check[f"channel {MODEL}/{CHANNEL}", "serving"].startswith("release r1, model ")


def test_each_object_is_read_once_and_nothing_is_written(world: AuditWorld) -> None:
    """However many steps look at it."""
    audit(world).clear()
    world.store.calls.clear()
    audit(world)
    calls = [call for call in world.store.calls if call[0] != "keys"]
    assert len(calls) == len(set(calls)) > 50
    assert {operation for operation, _ in world.store.calls} == {"get", "keys"}


def objects(world: AuditWorld) -> dict[str, bytes]:
    assert isinstance(world.store, MemoryStore)
    return world.store.objects


def edit(key: str, old: str, new: str) -> Callable[[AuditWorld], None]:
    def change(world: AuditWorld) -> None:
        body = objects(world)[key]
        assert old.encode() in body, (key, old)
        objects(world)[key] = body.replace(old.encode(), new.encode(), 1)

    return change


def removed(key: str) -> Callable[[AuditWorld], None]:
    return lambda world: objects(world).__delitem__(key)


def swapped(one: str, other: str) -> Callable[[AuditWorld], None]:
    def change(world: AuditWorld) -> None:
        store = objects(world)
        store[one], store[other] = store[other], store[one]

    return change


def rewritten(prefix: str, n: int, old: str, new: str) -> Callable[[AuditWorld], None]:
    """Edit link ``n`` and write all links behind it anew: a chain that holds."""

    def change(world: AuditWorld) -> None:
        edit(f"{prefix}/{n:010}.json", old, new)(world)
        keys = sorted(key for key in objects(world) if key.startswith(f"{prefix}/"))
        for before, key in zip(keys[n - 1 :], keys[n:], strict=False):
            link = Generation.from_bytes(objects(world)[key], where=key)
            link = link.model_copy(update={"previous_sha256": sha256_hex(objects(world)[before])})
            objects(world)[key] = link.to_bytes()

    return change


def moved(*, signed: bool, **changes: object) -> Callable[[AuditWorld], None]:
    """Somebody with write access appends a deployment and its confirmation, with the pipeline's key or without."""

    def change(world: AuditWorld) -> None:
        last = world.process().channels.history(MODEL, CHANNEL)[-1]
        keys = sorted(key for key in objects(world) if key.startswith("channels/"))
        for n, action in ((last[0] + 1, "deploy"), (last[0] + 2, "confirm")):
            entry = ChannelEntry(
                **{**last[1].model_dump(), **changes, "action": action, "at": world.now(), "seal": None}
            )
            entry = sealed(entry, world.signer("pipeline") if signed else None, MODEL, CHANNEL, n)
            previous = sha256_hex(objects(world)[f"channels/{MODEL}/{CHANNEL}/{n - 1:010}.json"])
            link = Generation(n=n, previous_sha256=previous, nonce="0" * 32, payload=entry.model_dump(mode="json"))
            objects(world)[f"channels/{MODEL}/{CHANNEL}/{n:010}.json"] = link.to_bytes()
        assert keys

    return change


def blob_changed(world: AuditWorld) -> None:
    digest = sha256_hex(b"model of r2")
    objects(world)[f"blobs/sha256/{digest[:2]}/{digest}"] = b"model of rX"


ATTACKS = {
    "a ledger entry edited": (edit("ledger/triage/0000000004.json", "dana.reyes", "lou.reyes"), {"ledger chain"}),
    "a ledger entry removed": (removed("ledger/triage/0000000004.json"), {"ledger chain"}),
    "ledger entries exchanged": (
        swapped("ledger/triage/0000000004.json", "ledger/triage/0000000005.json"),
        {"ledger chain"},
    ),
    "the ledger's tail cut off": (removed("ledger/triage/0000000013.json"), {"checkpoint"}),
    "the ledger written anew": (
        rewritten("ledger/triage", 1, "kim.larsen", "lou.larsen"),
        {"checkpoint", "evidence"},
    ),
    "an approval taken out of the ledger": (
        rewritten("ledger/triage", 10, '"kind":"approved"', '"kind":"waived"'),
        {"approvals"},
    ),
    "the channel's tail cut off": (removed("channels/triage/production/0000000006.json"), {"checkpoint"}),
    "a move edited": (
        rewritten("channels/triage/production", 5, "Complaints", "Compliments"),
        {"channel seals", "checkpoint", "serving"},
    ),
    "a pointer written directly": (
        moved(signed=False, release_id="r9", operation="r9", model_sha256="9" * 64),
        {"channel moves", "channel seals", "evidence", "serving"},
    ),
    "an old release deployed again": (
        moved(signed=False, release_id="r2", operation="r2", model_sha256=sha256_hex(b"model of r2")),
        {"channel moves", "channel seals", "serving"},
    ),
    "the same with the pipeline's key": (
        moved(signed=True, release_id="r2", operation="r2", model_sha256=sha256_hex(b"model of r2")),
        {"channel moves", "serving"},
    ),
    "an older policy edited": (
        edit("governance/policy/triage/0000000001.json", '"minimum":0.75', '"minimum":0.05'),
        {"policy chain", "checkpoint", "terms in force"},
    ),
    "a roster written anew": (
        rewritten("governance/roster/roster", 1, '"version":1}', '"version":2}'),
        {"roster chain", "channel seals", "approvals", "serving"},
    ),
    "evidence edited": (edit("releases/r1/evaluate.json", '"value":0.858', '"value":0.958'), {"evidence", "decision"}),
    "evidence removed": (removed("releases/r1/fairness.json"), {"evidence", "decision"}),
    "evidence added": (
        lambda world: objects(world).update({"releases/r1/slices.json": objects(world)["releases/r1/drift.json"]}),
        {"evidence"},
    ),
    "a request edited": (edit("releases/r1/request.json", '"approvals":2', '"approvals":1'), {"evidence", "approvals"}),
    "an answer edited": (edit("releases/r1/answer-1.json", '"role":"release-manager"', '"role":"x"'), {"approvals"}),
    "an answer removed": (removed("releases/r1/answer-2.json"), {"approvals"}),
    "another model under the digest": (blob_changed, {"bytes"}),
    "another decision": (edit("releases/r1/decision.json", '"review"', '"promote"'), {"decision", "evidence"}),
    "an attestation of another release": (
        swapped("releases/r1/attestation.json", "releases/r2/attestation.json"),
        {"attestation"},
    ),
    "an opening edited": (edit("releases/r1/opening.json", '"period":"2000"', '"period":"1999"'), {"evidence"}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_changed_is_found(world: AuditWorld, name: str) -> None:
    """By each of the steps that it concerns; every other step is still done."""
    change, expected = ATTACKS[name]
    change(world)
    found = audit(world)
    assert overall(found) == "broken"
    broken = {one.check for one in found if one.status == "broken"}
    assert expected <= broken, not_ok(found)
    assert len(found) >= 10


def test_a_decision_that_the_measurements_do_not_give_is_found(world: AuditWorld) -> None:
    """Whoever wrote it had the ledger, the approvals and the seals of their side; the measurements say otherwise."""
    world.decides = lambda decision: decision.model_copy(
        update={"facts": decision.facts.model_copy(update={"warnings": 0})}
    )
    world.release("r3")
    assert set(not_ok(audit(world))) == {("decision", "broken"), ("serving", "broken")}


def test_a_promotion_without_its_quorum_is_found(world: AuditWorld) -> None:
    """Also where the pipeline itself, with its key, made the moves."""
    opening = world.open("r3")
    request = world.ask(opening)
    world.answer(opening, request, 1, "dana.reyes")
    moved(signed=True, release_id="r3", operation="r3", model_sha256=request.model_sha256)(world)
    found = not_ok(audit(world))
    assert set(found) == {("approvals", "broken"), ("serving", "broken")}
    assert "1 of 2 approvals" in found["approvals", "broken"]


def test_who_left_later_had_approved_rightly(world: AuditWorld) -> None:
    """Approvals are held against the roster of their own time."""
    world.change_roster(left={"dana.reyes": world.time.date()})
    assert not_ok(audit(world)) == {}


def test_an_approval_by_somebody_whose_key_was_revoked_before_is_found(world: AuditWorld) -> None:
    """The pinned roster still had the key; the one in force did not."""
    opening = world.open("r3")
    request = world.ask(opening)
    world.change_roster(revoked={"dana.reyes": world.now()})
    for number, name in enumerate(("dana.reyes", "lee.wong"), 1):
        world.answer(opening, request, number, name)
    moved(signed=True, release_id="r3", operation="r3", model_sha256=request.model_sha256)(world)
    assert "not signed by a key of dana.reyes" in not_ok(audit(world))["approvals", "broken"]


def test_who_took_a_model_back_is_proven_again(world: AuditWorld) -> None:
    """Signed or by a typed name: each is told apart."""
    world.roll_back("forth", to_release="r2", signed=False)
    assert rollbacks_of(world) == ("ok", "1 signed, 1 declared")


def rollbacks_of(world: AuditWorld) -> tuple[str, str]:
    """What the step about rollbacks says."""
    return next((one.status, one.detail) for one in audit(world) if one.check == "rollbacks")


BACK = "rollbacks/triage/production/back-1.json"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (edit(BACK, "dana.reyes", "lee.wong"), "the ledger names another record"),
        (edit(BACK, '"assurance":"signed"', '"assurance":"gateway"'), "the ledger names another record"),
        (removed(BACK), "the ledger names another record"),
    ],
)
def test_a_changed_record_of_who_took_it_back_is_found(
    world: AuditWorld, change: Callable[[AuditWorld], None], says: str
) -> None:
    """Edited or removed; and what serves by it is then not proven either."""
    change(world)
    found = not_ok(audit(world))
    assert says in found["rollbacks", "broken"]
    assert ("serving", "broken") in found


def test_a_rollback_by_somebody_who_had_left_is_found(world: AuditWorld) -> None:
    """Also where the run that should have refused it went by an earlier roster."""
    services = world.process()
    earlier = world.terms(services)
    world.change_roster(left={"dana.reyes": world.time.date() - timedelta(days=1)})
    services.rollbacks.carry_out(
        RollbackOrder(model=MODEL, to_release="r2", actor="dana.reyes", reason="It is a good one.", operation="forth"),
        *earlier,
    )
    assert rollbacks_of(world) == ("broken", "dana.reyes is not active today. (roster)")


def test_a_rollback_whose_move_says_another_name_is_found(world: AuditWorld) -> None:
    """The channel and the ledger name Dana, and the record is Lee's."""
    services = world.process()
    record = services.rollback_records.find(MODEL, CHANNEL, "back-1")
    assert record
    changes = {"operation": "back-2", "principal": "lee.wong", "assurance": "declared", "proof": "", "to_release": "r2"}
    model = services.channels.history(MODEL, CHANNEL)[-3][1].model_sha256
    planted(world, record.model_copy(update={**changes, "to_model_sha256": model}))
    assert "another who, why or where to" in rollbacks_of(world)[1]


def test_where_the_policy_asked_for_more_a_rollback_without_a_record_is_found(world: AuditWorld) -> None:
    """Only where a typed name was enough may the proof be missing."""
    terms = RollbackTerms(roles=("release-manager",), assurance="signed")
    world.govern(world.policy.model_copy(update={"version": 5, "review_at_warnings": 2, "rollback": terms}))
    planted(world, None)
    assert "the policy asks for a signed name" in rollbacks_of(world)[1]


def planted(world: AuditWorld, record: AcceptedRollback | None) -> None:
    """A dishonest pipeline rolls forward to r2, by Dana, with this record or none."""
    services = world.process()
    if record:
        services.rollback_records.add(record)
    history = services.channels.history(MODEL, CHANNEL)
    for action in ("rollback", "confirm"):
        move = history[-3][1].model_copy(
            update={"action": action, "operation": "back-2", "actor": "dana.reyes", "at": world.now(), "seal": None}
        )
        history.append((len(history) + 1, sealed(move, world.signer("pipeline"), MODEL, CHANNEL, len(history) + 1)))
        services.channels.move(MODEL, CHANNEL, history[-1][1], expected=len(history) - 1)
    digests = {"move": history[-1][1].digest} | ({"rollback": record.digest} if record else {})
    surely = record.assurance if record else None
    services.ledger.append(
        MODEL,
        LedgerEntry(
            kind="rolled_back", release_id="r2", actor="dana.reyes", at=world.now(), digests=digests, assurance=surely
        ),
    )


def test_what_the_target_says_is_held_against_the_channel(world: AuditWorld) -> None:
    """Where it is asked."""

    class Other(Target):
        def serving(self) -> str | None:
            return "f" * 64

    assert ("serving", "broken") in not_ok(audit(world, target=Other()))


def test_without_a_checkpoint_the_end_is_not_proven(world: AuditWorld, tmp_path: Path) -> None:
    """It is reported, and it is not ok."""
    found = audit(world, kept=Checkpoints())
    assert overall(found) == "unproven"
    assert set(not_ok(found)) == {("checkpoint", "unproven")}


def test_a_checkpoint_that_somebody_kept_counts_alone(world: AuditWorld) -> None:
    """Its chain is proven, the others are not; its tail cut off is found."""
    kept = next((world.checkpoints / "ledger" / "triage").iterdir()) / "checkpoint.json"
    found = audit(world, kept=Checkpoints(file=kept))
    assert [one.subject for one in found if one.check == "checkpoint" and one.status == "ok"] == ["chain ledger/triage"]
    removed("ledger/triage/0000000013.json")(world)
    assert ("checkpoint", "broken") in not_ok(audit(world, kept=Checkpoints(file=kept)))


def test_a_silent_store_proves_nothing_and_breaks_nothing(world: AuditWorld) -> None:
    """A step that could not be done is not a step that failed."""
    silent = StoreError("it does not answer.", where="store", remedy="wait.")
    world.store.fail("get", silent, key_part="releases/r1/evaluate", times=9)
    found = audit(world)
    assert overall(found) == "unproven"
    assert {status for _, status in not_ok(found)} == {"unproven"}


def test_without_ssh_keygen_nothing_signed_is_proven(world: AuditWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digests still are."""
    process = world.process()
    monkeypatch.setattr(world, "process", lambda: process)
    monkeypatch.setenv("PATH", "/nonexistent")
    found = not_ok(audit(world))
    assert {status for _, status in found} == {"unproven"}
    assert {"approvals", "channel seals", "roster chain"} <= {check for check, _ in found}


def test_a_release_that_was_not_promoted_is_audited_as_far_as_it_came(world: AuditWorld) -> None:
    """Opened; asked about; and answered by one of two."""
    opening = world.open("r3")
    for story in ("open", "asked", "answered"):
        if story == "asked":
            request = world.ask(opening)
        if story == "answered":
            world.answer(opening, request, 1, "dana.reyes")
        services = world.process()
        store = AuditedStore.over(world.store, services.blobs, services.signatures)
        found = audit_release(store, "r3", CHANNEL, Checkpoints(world.checkpoints))
        assert not_ok(found) == {}, story
    assert found[-2].detail == "it was never promoted"
