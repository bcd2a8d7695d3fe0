"""Bundles of releases that were allowed in other ways, or not at all, and of what somebody planted in the store."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gatewright.core.approval import accept
from gatewright.core.audit import Finding
from gatewright.core.errors import GatewrightError
from gatewright.core.policy import Policy, RollbackTerms, WaiverTerms
from gatewright.core.releases import Opening, ReleaseState
from gatewright.core.rollback_order import RollbackOrder, RollbackStamp
from gatewright.core.signatures import GATEWAY_STAMP, ROLLBACK_STAMP, WAIVER
from gatewright.core.statements import GATEWAY_KIND, Answer, GatewayStamp, Pause, Request
from gatewright.core.tokens import token_of
from gatewright.core.waivers import WAIVER_KIND, WaiverStatement, accept_waiver
from gatewright.services.audit import AuditedStore, Checkpoints, audit_model
from gatewright.services.release_records import AnswerRecord
from gatewright.services.store import S3Store
from tests.fakes import MemoryStore
from tests.services.audit_world import OWNER, AuditWorld
from tests.services.emergencies import break_glass, with_break_glass
from tests.services.export.shell import bundle, shell

REASON = "The evidence is sound."
Change = Callable[[Policy], Policy]


def with_tiers(**changes: object) -> Change:
    def change(policy: Policy) -> Policy:
        tiers = tuple(tier.model_copy(update={"risk": "medium", **changes}) for tier in policy.tiers)
        return policy.model_copy(update={"tiers": tiers})

    return change


def begun(folder: Path, keys: Path, change: Change = lambda policy: policy) -> tuple[AuditWorld, Opening, Request]:
    """A first release under a policy, up to the request."""
    world = AuditWorld(folder, keys)
    world.govern(change(world.policy))
    opening = world.open("r1")
    return world, opening, world.ask(opening)


def answer(world: AuditWorld, opening: Opening, request: Request, typed: Answer, pause: Pause | None = None) -> None:
    services = world.process()
    approval = accept(typed, request, [world.roster], services.signatures, pause=pause, at=world.now())
    services.releases.record("answer-1", opening, AnswerRecord(approval=approval, refusal=None))
    if approval.decision == "approve":
        services.releases.note_approval(opening, approval)


def verified(tools: Path, world: AuditWorld, tmp_path: Path) -> str:
    """What verify.sh says of the exported release; the audit must be of one mind with it."""
    world.checkpoint()
    services = world.process()
    audited = AuditedStore.over(world.store, services.blobs, services.signatures)
    found = audit_model(audited, "triage", "production", Checkpoints(world.checkpoints))
    assert [one for one in found if one.status != "ok"] == []
    done = shell(tools, bundle(world, "r1", tmp_path / "out"), "verify.sh")
    assert done.stdout.endswith("\nVERIFIED\n"), done.stdout
    return done.stdout


def test_who_was_logged_in_is_shown_by_the_gateways_stamp(tools: Path, keys: Path, tmp_path: Path) -> None:
    """Where the tier asks for no more."""
    world, opening, request = begun(tmp_path, keys, with_tiers(assurance="gateway", approvals=1))
    pause = Pause(run_id="run-1", key="approval-1")
    said = GatewayStamp(
        kind=GATEWAY_KIND,
        run_id=pause.run_id,
        pause_key=pause.key,
        evidence_root=request.evidence_root,
        nonce=request.nonce,
        decision="approve",
        principal="dana.reyes",
        reason=REASON,
        at=world.now(),
    ).to_bytes()
    token = token_of(said, world.signer("gateway").sign(said, namespace=GATEWAY_STAMP))
    answer(world, opening, request, Answer(decision="approve", approver="x", reason="x", token=token), pause)
    world.deploy(opening, request)
    assert "dana.reyes (release-manager) was logged in at the gateway on " in verified(tools, world, tmp_path)


def test_a_typed_name_is_called_not_proven(tools: Path, keys: Path, tmp_path: Path) -> None:
    """Also on the page, among what the bundle does not prove."""
    world, opening, request = begun(tmp_path, keys, with_tiers(assurance="declared", approvals=1))
    answer(world, opening, request, Answer(decision="approve", approver="dana.reyes", reason=REASON, token="none"))
    world.deploy(opening, request)
    assert "dana.reyes (release-manager) was typed into a form on " in verified(tools, world, tmp_path)
    assert "- That dana.reyes answered: the name was typed" in (tmp_path / "out" / "VERIFY.md").read_text()


def test_rollbacks_by_a_stamp_and_by_a_typed_name_are_told_apart(tools: Path, keys: Path, tmp_path: Path) -> None:
    """Each as surely as it was known; a role that the policy does not name is found."""
    world = AuditWorld(tmp_path, keys)
    terms = RollbackTerms(roles=("compliance-officer", "release-manager"), assurance="declared")
    world.govern(world.policy.model_copy(update={"rollback": terms}))
    world.release("r1")
    world.release("r2")
    services = world.process()
    said = RollbackStamp(
        kind="rollback-stamp", model="triage", environment="production", to_release=None, operation="back-1",
        principal="dana.reyes", reason="Complaints, from two sites.", at=world.now(),
    ).to_bytes()  # fmt: skip
    token = token_of(said, world.signer("gateway").sign(said, namespace=ROLLBACK_STAMP))
    order = RollbackOrder(
        model="triage", to_release=None, actor="dana.reyes", reason="Complaints, from two sites.", operation="back-1",
        token=token,
    )  # fmt: skip
    services.rollbacks.carry_out(order, *world.terms(services))
    world.roll_back("forth", "r2", signed=False)
    page = verified(tools, world, tmp_path)
    assert "dana.reyes (release-manager) was logged in at the gateway on " in page
    assert "dana.reyes (release-manager) was typed into a form on " in page
    assert "- Who took a model back where it says *typed" in (tmp_path / "out" / "VERIFY.md").read_text()
    policy = tmp_path / "out" / "governance" / "policy" / "0000000001.json"
    policy.write_text(policy.read_text().replace('"roles":["compliance-officer","release-manager"]', '"roles":["x"]'))
    assert "may not take a model back" in shell(tools, tmp_path / "out", "verify.sh").stdout


def test_a_tier_that_asks_nobody_needs_no_approval(tools: Path, keys: Path, tmp_path: Path) -> None:
    """Nought of nought people."""
    world, opening, request = begun(tmp_path, keys, with_tiers(assurance="declared", approvals=0))
    world.deploy(opening, request)
    assert "0 of 0 people asked for" in verified(tools, world, tmp_path)


def broken_glass(folder: Path, keys: Path) -> tuple[AuditWorld, Opening, Request]:
    """The owner let the first release go on alone, and it serves."""
    world, opening, request = begun(folder, keys, with_break_glass)
    break_glass(world, opening, request)
    world.deploy(opening, request)
    return world, opening, request


def test_whoever_broke_the_glass_is_named(tools: Path, keys: Path, tmp_path: Path) -> None:
    """In the place of the quorum, with the signature."""
    world, _, _ = broken_glass(tmp_path, keys)
    assert f"{OWNER} (compliance-officer) broke the glass on " in verified(tools, world, tmp_path)
    assert {path.name for path in (tmp_path / "out").glob("attestation*")} == {"attestation.dsse.json"}
    sig = tmp_path / "out" / "approvals" / f"1-{OWNER}.sig"
    sig.write_text((tmp_path / "out" / "seals" / "1.sig").read_text())
    assert "FAIL  8. Who approved" in shell(tools, tmp_path / "out", "verify.sh").stdout


def test_a_quorum_that_came_after_the_glass_broke_is_attested_beside_what_was_attested_before(
    tools: Path, keys: Path, tmp_path: Path
) -> None:
    """The audit computes both again; the bundle has both; exchanged, they are found."""
    world, opening, request = broken_glass(tmp_path, keys)
    for number, name in enumerate(("dana.reyes", "lee.wong"), 2):
        world.answer(opening, request, number, name)
    services = world.process()
    assert services.attestations.attest_late(opening, lambda at: world.roster, at=world.now()) is not None
    verified(tools, world, tmp_path)
    names = {path.name for path in (tmp_path / "out").glob("attestation*")}
    assert names == {"attestation.dsse.json", "attestation-late.dsse.json"}
    assert attested(world).detail.count("it says FAILED, rightly; signed by the pipeline on ") == 1
    assert attested(world).detail.endswith("it says PASSED, rightly")
    stored = world.store.objects  # type: ignore[attr-defined]
    stored["releases/r1/attestation-late.json"] = stored["releases/r1/attestation.json"]
    assert attested(world).status == "broken"


def attested(world: AuditWorld) -> Finding:
    services = world.process()
    audited = AuditedStore.over(world.store, services.blobs, services.signatures)
    found = audit_model(audited, "triage", "production", Checkpoints(world.checkpoints))
    return next(one for one in found if (one.check, one.subject) == ("attestation", "release r1"))


def test_a_waived_rule_is_shown_with_its_signature(tools: Path, keys: Path, tmp_path: Path) -> None:
    """And a waiver that the decision names and the bundle lacks is found."""
    terms = WaiverTerms(roles=("compliance-officer",), maximum_days=30)
    world = AuditWorld(tmp_path, keys)
    world.govern(world.policy.model_copy(update={"waivers": terms}))
    said = WaiverStatement(
        kind=WAIVER_KIND, model="triage", rule="feature-drift", slice="*", principal=OWNER, reason=REASON,
        issued=world.now(), expires=world.time + timedelta(days=3),
    ).to_bytes()  # fmt: skip
    token = token_of(said, world.signer(OWNER).sign(said, namespace=WAIVER))
    services = world.process()
    policy = world.policy.model_copy(update={"waivers": terms})
    world.waivers = (accept_waiver(token, policy, [world.roster], services.signatures, at=world.now()),)
    world.release("r1")
    assert f"feature-drift was waived by {OWNER} until " in verified(tools, world, tmp_path)
    for path in (tmp_path / "out" / "waivers").iterdir():
        path.unlink()
    assert "FAIL  8. Which rules were waived" in shell(tools, tmp_path / "out", "verify.sh").stdout


def test_a_release_that_ended_before_it_was_asked_about_verifies_as_far_as_it_came(
    tools: Path, keys: Path, tmp_path: Path
) -> None:
    """Chains, terms and what it says it did not come to; nothing about production."""
    world = AuditWorld(tmp_path, keys)
    world.govern()
    opening = world.open("r1")
    world.process().releases.close(opening, ReleaseState.FAILED, "gatewright", note="its worker was lost")
    world.checkpoint()
    done = shell(tools, bundle(world, "r1", tmp_path / "out"), "verify.sh")
    assert done.stdout.endswith("\nVERIFIED\n"), done.stdout
    assert "production" not in done.stdout


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("releases/r1/answer-1.json", '"principal":"dana.reyes"', '"principal":"$(touch owned)"'),
        ("releases/r1/root.json", '"drift":', '"drift; touch owned":'),
    ],
)
def test_a_name_from_the_store_never_becomes_a_command(
    tools: Path, year: AuditWorld, keys: Path, tmp_path: Path, key: str, old: str, new: str
) -> None:
    """An export of it is refused, or it is only text."""
    world = AuditWorld(tmp_path, keys, MemoryStore())
    world.store.objects = dict(year.store.objects)  # type: ignore[attr-defined]
    world.store.objects[key] = world.store.objects[key].replace(old.encode(), new.encode(), 1)  # type: ignore[attr-defined]
    try:
        shell(tools, bundle(world, "r1", tmp_path / "out"), "verify.sh")
    except GatewrightError:
        assert not (tmp_path / "out").exists()
    assert not list(tmp_path.rglob("owned"))


def test_a_bundle_from_the_real_store_verifies(tools: Path, keys: Path, tmp_path: Path, s3_store: S3Store) -> None:
    """Bytes, chains and blobs as a server of objects gives them back."""
    world = AuditWorld(tmp_path, keys, s3_store)
    world.govern()
    world.release("r1")
    verified(tools, world, tmp_path)
