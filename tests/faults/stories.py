"""A release and a rollback as the flows run them, without Prefect: what is done, in their order."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from gatewright.core.approval import accept
from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import ApprovalError, ConflictError
from gatewright.core.governed import ROSTER_NAME
from gatewright.core.refs import Candidate, DatasetFile, DatasetRef
from gatewright.core.releases import Champion, Opening, ReleaseData, ReleaseState
from gatewright.core.results import StageEvidence
from gatewright.core.rollback_order import RollbackOrder
from gatewright.core.statements import Answer, Request
from gatewright.services.promotion import begin, close_failed, promote
from gatewright.services.release_records import AnswerRecord
from gatewright.services.terms import require_terms_in_force
from gatewright.wiring import Services
from tests.core.examples import in_force
from tests.faults.world import CHANNEL, MODEL, World
from tests.services.reports.example_view import CANDIDATE, OPENING, SPEC, STAGES, example_view

__all__ = ["APPROVERS", "answer", "ask", "finish", "promoted", "release", "roll_back", "submit", "terms"]

APPROVERS = ("dana.reyes", "lee.wong")
_STAGES = ("evaluate", "fairness")


def release(world: World, services: Services, release_id: str, body: bytes) -> ReleaseState | None:
    """One run of the release flow for the candidate ``body``, up to its end."""
    opening = _opened(world, services, release_id)
    with _closing_on_failure(services, opening):
        approved(world, services, opening, body)
    return finish(world, services, release_id)


def finish(world: World, services: Services, release_id: str) -> ReleaseState | None:
    """The last stage of a release that is approved, and its end."""
    opening = services.releases.opening(release_id)
    with _closing_on_failure(services, opening):
        promoted(world, services, opening)
    state = services.releases.close(opening, ReleaseState.DEPLOYED, "gatewright")
    world.tell("closed", f"{release_id} {state}")
    return state


def ask(world: World, services: Services, release_id: str, body: bytes) -> None:
    """Everything up to the quorum."""
    approved(world, services, _opened(world, services, release_id), body)


def submit(world: World, services: Services, release_id: str, body: bytes, author: str) -> Request:
    """Everything up to the question."""
    return _asked(services, _opened(world, services, release_id), body, author)


def answer(world: World, services: Services, release_id: str, name: str, choice: str) -> bool:
    """Somebody answers the question that is open; whether it counts. A rejection ends the release."""
    opening = services.releases.opening(release_id)
    request = services.evidence.read("request", release_id, Request)
    number = len(services.releases.answers(release_id)) + 1
    given = _judged(world, services, opening, request, world.signed(request, name, choice))
    services.releases.record(f"answer-{number}", opening, given)
    if given.approval is None:
        return False
    if choice == "reject":
        services.releases.close(opening, ReleaseState.REJECTED, "gatewright")
    else:
        services.releases.note_approval(opening, given.approval)
    return True


@contextmanager
def _closing_on_failure(services: Services, opening: Opening) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        close_failed(services.releases, services.deployment, opening, "gatewright", str(error)[:1000])
        raise


def promoted(world: World, services: Services, opening: Opening) -> ChannelEntry:
    """Move the channel."""
    read = services.evidence.read
    require_terms_in_force(services.governance, opening)
    served = promote(
        services.releases,
        services.deployment,
        opening,
        read("data", opening.release_id, ReleaseData),
        read("candidate", opening.release_id, Candidate),
        read("request", opening.release_id, Request),
        rosters=(services.releases.roster(opening), world.roster),
        signatures=world.signatures,
        now=world.now,
    )
    world.tell("confirmed", served.digest)
    return served


def approved(world: World, services: Services, opening: Opening, body: bytes) -> None:
    """The gates and the answers of two people."""
    _answered(world, services, opening, _asked(services, opening, body))


def roll_back(
    world: World, services: Services, operation: str, to_release: str | None = None, actor: str = "dana.reyes"
) -> ChannelEntry:
    """One run of the rollback flow."""
    order = RollbackOrder(
        model=MODEL, to_release=to_release, actor=actor, reason="It answers wrongly.", operation=operation
    )
    served = services.rollbacks.carry_out(order, in_force(world.policy), in_force(world.roster))
    world.tell("confirmed", served.digest)
    return served


def _opened(world: World, services: Services, release_id: str) -> Opening:
    stored = services.evidence.find("opening", release_id, Opening)
    return begin(services.releases, services.deployment, stored or terms(world, services, release_id))


def terms(world: World, services: Services, release_id: str) -> Opening:
    """What a release pins when it is opened now."""
    generation, champion = _champion(services)
    policy = services.governance.adopt("policy", MODEL, world.policy, "file").policy
    roster = services.governance.adopt("roster", ROSTER_NAME, world.roster, "file").roster
    now = world.now()
    pins = {"spec": SPEC, "policy": policy, "roster": roster}
    return OPENING.model_copy(
        update={
            "release_id": release_id,
            "channel_generation": generation,
            "champion": champion,
            "opened_at": now,
            "expires_at": now + timedelta(hours=12),
            **{name: services.blobs.put(pin.to_bytes(), "application/json") for name, pin in pins.items()},
        }
    )


def _champion(services: Services) -> tuple[int, Champion | None]:
    head = services.channels.head(MODEL, CHANNEL)
    if head is None:
        return 0, None
    generation, entry = head
    if entry.action in ("deploy", "rollback"):
        raise ConflictError("the last move is not confirmed.", where=entry.operation, remedy="abandon it.")
    if entry.model_sha256 is None:
        return generation, None
    return generation, Champion(release_id=entry.release_id, model_sha256=entry.model_sha256)


def _asked(services: Services, opening: Opening, body: bytes, author: str = "kim.larsen") -> Request:
    releases = services.releases
    rows = services.blobs.put(b"rows", "application/x-parquet")
    files = (DatasetFile(uri="data/1999.parquet", period="1999", rows=3, artifact=rows),)
    dataset = DatasetRef(name="data", files=files)
    releases.record("data", opening, ReleaseData(training=dataset, evaluation=dataset))
    artifact = services.blobs.put(body, "application/x-skops")
    candidate = releases.record(
        "candidate", opening, CANDIDATE.model_copy(update={"artifact": artifact, "author": author})
    )
    for name in _STAGES:
        _staged(services, opening, name)
    decision = example_view().decision.model_copy(update={"policy_sha256": opening.policy.sha256})
    decision = releases.record("decision", opening, decision)
    root = releases.record("root", opening, releases.root(opening, candidate))
    releases.note(opening, "decided", "gatewright", digests={"evidence": root.digest}, note=decision.outcome)
    return releases.ask(opening, candidate, decision, environment=CHANNEL)


def _staged(services: Services, opening: Opening, name: str) -> None:
    if services.evidence.find(name, opening.release_id, StageEvidence) is None:
        artifacts = {"profile": services.blobs.put(f"profile of {name}".encode(), "application/json")}
        changed = {"release_id": opening.release_id, "artifacts": artifacts}
        services.releases.record(name, opening, STAGES[name].model_copy(update=changed))


def _answered(world: World, services: Services, opening: Opening, request: Request) -> None:
    for attempt in range(1, request.tier.approvals + 1):
        record = services.evidence.find(f"answer-{attempt}", opening.release_id, AnswerRecord)
        if record is None:
            typed = world.signed(request, APPROVERS[attempt - 1])
            # What another run of this release has recorded meanwhile stands, and this run reads it.
            given = _judged(world, services, opening, request, typed)
            record = services.releases.record(f"answer-{attempt}", opening, given)
        assert record.approval is not None
        services.releases.note_approval(opening, record.approval)
        world.tell("approved", record.approval.digest)


def _judged(world: World, services: Services, opening: Opening, request: Request, typed: Answer) -> AnswerRecord:
    earlier = services.releases.approvals(opening.release_id)
    rosters = (services.releases.roster(opening), world.roster)
    try:
        approval = accept(typed, request, rosters, world.signatures, pause=None, at=world.now(), earlier=earlier)
    except ApprovalError as error:
        return AnswerRecord(approval=None, refusal=error.problem)
    return AnswerRecord(approval=approval, refusal=None)
