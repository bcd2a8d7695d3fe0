"""Bundles of releases that were allowed in other ways, or not at all, and of what somebody planted in the store."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gatewright.core.approval import accept
from gatewright.core.break_glass import accept_break_glass, break_glass_statement
from gatewright.core.errors import GatewrightError
from gatewright.core.policy import BreakGlass, Policy, WaiverTerms
from gatewright.core.releases import Opening, ReleaseState
from gatewright.core.signatures import BREAK_GLASS, GATEWAY_STAMP, WAIVER
from gatewright.core.statements import GATEWAY_KIND, Answer, GatewayStamp, Pause, Request
from gatewright.core.tokens import token_of
from gatewright.core.waivers import WAIVER_KIND, WaiverStatement, accept_waiver
from gatewright.services.audit import AuditedStore, Checkpoints, audit_model
from gatewright.services.release_records import AnswerRecord
from gatewright.services.store import S3Store
from tests.fakes import MemoryStore
from tests.services.audit_world import OWNER, AuditWorld
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


def test_a_tier_that_asks_nobody_needs_no_approval(tools: Path, keys: Path, tmp_path: Path) -> None:
    """Nought of nought people."""
    world, opening, request = begun(tmp_path, keys, with_tiers(assurance="declared", approvals=0))
    world.deploy(opening, request)
    assert "0 of 0 people asked for" in verified(tools, world, tmp_path)


def test_whoever_broke_the_glass_is_named(tools: Path, keys: Path, tmp_path: Path) -> None:
    """In the place of the quorum, with the signature."""
    terms = BreakGlass(roles=("compliance-officer",), hours=4)
    world, opening, request = begun(tmp_path, keys, lambda p: p.model_copy(update={"break_glass": terms}))
    services = world.process()
    policy = services.releases.policy(opening)
    said = break_glass_statement(request, policy, principal=OWNER, reason="Lives depend on it.", issued=world.now())
    token = token_of(said.to_bytes(), world.signer(OWNER).sign(said.to_bytes(), namespace=BREAK_GLASS))
    emergency = accept_break_glass(token, request, policy, [world.roster], services.signatures, at=world.now())
    record = AnswerRecord(approval=None, refusal=None, emergency=emergency)
    services.releases.record("answer-1", opening, record)
    services.releases.note_emergency(opening, emergency)
    world.deploy(opening, request)
    assert f"{OWNER} (compliance-officer) broke the glass on " in verified(tools, world, tmp_path)
    sig = tmp_path / "out" / "approvals" / f"1-{OWNER}.sig"
    sig.write_text((tmp_path / "out" / "seals" / "1.sig").read_text())
    assert "FAIL  8. Who approved" in shell(tools, tmp_path / "out", "verify.sh").stdout


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
