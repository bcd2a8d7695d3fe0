"""Ask people: the run stops, and what they answer in the Prefect UI is verified after it resumes.

The form is a doorbell, not a control: nobody's identity is proven by it, and anyone who reaches the API can
plant an answer. So every answer goes through ``core.approval.accept``, and one that proves nothing is
recorded as refused and asked again under a new key.
"""

from typing import Literal
from uuid import UUID

from prefect import get_client, pause_flow_run, suspend_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from prefect.logging import get_run_logger
from prefect.runtime import deployment, flow_run
from prefect.states import Running
from pydantic import Field, ValidationError

from gatewright.core.approval import accept
from gatewright.core.break_glass import BREAK_GLASS_KIND, Emergency, accept_break_glass
from gatewright.core.decision import Decision
from gatewright.core.errors import ApprovalError
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening
from gatewright.core.statements import Answer, Pause, Request
from gatewright.core.tokens import kind_of
from gatewright.services.pauses import PauseNote
from gatewright.services.release_records import AnswerRecord
from gatewright.services.reports.escape import md
from gatewright.services.reports.evidence_page import approval_description
from gatewright.wiring import Services, connect
from tasks.events import tell
from tasks.evidence import show_evidence
from tasks.links import links_of
from tasks.notify import notify
from tasks.stage import stage_task

__all__ = ["ApprovalForm", "ask", "receive", "request_approval"]

POLL_SECONDS = 2
NOTHING = Answer(decision="", approver="", reason="", token="")


class ApprovalForm(RunInput):
    """What the resume form asks. No field has a default: an empty resume must not approve anything."""

    decision: Literal["approve", "reject"] = Field(
        description="Approve puts the candidate into production; reject ends the release."
    )
    approver: str = Field(min_length=3, max_length=63, description="Your id in the roster, such as first.last")
    reason: str = Field(min_length=10, max_length=2000, description="Why, in a sentence an auditor will understand.")
    token: str = Field(
        min_length=4, max_length=8000, description="A signed token, or the word none: the gateway puts its stamp there."
    )


@stage_task(name="request approval")
def request_approval(opening: Opening, candidate: Candidate, decision: Decision) -> Request:
    """Write down what people are asked to approve: exactly these digests, within this window."""
    services = connect()
    asked = services.evidence.find("request", opening.release_id, Request)
    request = services.releases.ask(opening, candidate, decision, environment=services.settings.channel)
    if asked is None:
        _tell_whom_to_ask(services, request)
    # Again after a crash: people are told once, whichever run tells them.
    notify(services, opening.model)
    return request


def _tell_whom_to_ask(services: Services, request: Request) -> None:
    roles = request.tier.notify
    payload = {
        "release_id": request.release_id,
        "roles": list(roles),
        "people": list(services.roster().holders(roles, services.now())),
        "expires_at": request.expires_at.isoformat(),
    }
    if roles:
        tell("approval.asked", request.model, payload)


def ask(opening: Opening, request: Request, attempt: int) -> Answer | None:
    """Stop until somebody answers; None when the window is over.

    Called from the flow itself. A run of a deployment is suspended, so that nothing runs while people
    think, and starts again from the top on any worker; any other run waits in its process.
    """
    services = connect()
    recorded = services.releases.answers(opening.release_id)
    if attempt <= len(recorded):
        return NOTHING  # `receive` reads what it recorded then
    seconds = int((request.expires_at - services.now()).total_seconds())
    if seconds < 1:
        return None
    form = ApprovalForm.with_initial_data(description=_description(services, opening))
    key = _key(attempt)
    # Before the question is open: whoever answers finds out here what exactly is asked.
    services.pauses.write(str(flow_run.id), key, _note(request))
    try:
        if deployment.id:
            typed = suspend_flow_run(wait_for_input=form, key=key, timeout=seconds)
        else:
            typed = pause_flow_run(wait_for_input=form, key=key, timeout=seconds, poll_interval=POLL_SECONDS)
    except FlowPauseTimeout:
        _say_running()
        return None
    except (ValidationError, TypeError) as error:
        # Only somebody who forces the run on without the form gets here; it is asked again.
        get_run_logger().warning("resumed without a valid answer: %s", type(error).__name__)
        return NOTHING
    return Answer(decision=typed.decision, approver=typed.approver, reason=typed.reason, token=typed.token)


def _say_running() -> None:
    """Without this the server calls a run failed that was paused too long, whatever the run returns."""
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(str(flow_run.id)), Running(), force=True)


@stage_task(name="receive answer")
def receive(opening: Opening, request: Request, attempt: int, answer: Answer) -> AnswerRecord:
    """Verify an answer and record what became of it, once."""
    services = connect()
    recorded = services.evidence.find(f"answer-{attempt}", opening.release_id, AnswerRecord)
    if recorded is None:
        pause = Pause(run_id=str(flow_run.id), key=_key(attempt))
        answered = _verified(services, opening, request, answer, pause)
        recorded = services.releases.record(f"answer-{attempt}", opening, answered)
    log = get_run_logger()
    if recorded.emergency is not None:
        _alarm(services, opening, recorded.emergency)
        return recorded
    if recorded.approval is None:
        services.releases.note(opening, "answer_refused", "form", note=f"answer {attempt}: {recorded.refusal}")
        log.warning("answer %d was refused: %s", attempt, recorded.refusal)
        return recorded
    log.info("%s by %s (%s)", recorded.approval.decision, recorded.approval.principal, recorded.approval.assurance)
    services.releases.note_approval(opening, recorded.approval)
    show_evidence(services, opening)
    return recorded


def _alarm(services: Services, opening: Opening, emergency: Emergency) -> None:
    """Everybody is told, in the ledger and by an event, before anything moves."""
    services.releases.note_emergency(opening, emergency)
    said = emergency.model_dump(mode="json", exclude={"token"}) | {"release_id": opening.release_id}
    tell("break_glass", opening.model, said)
    notify(services, opening.model)
    get_run_logger().warning("%s broke the glass: %s", emergency.principal, emergency.reason)


def _note(request: Request) -> PauseNote:
    return PauseNote(
        release_id=request.release_id,
        request_sha256=request.digest,
        evidence_root=request.evidence_root,
        nonce=request.nonce,
    )


def _key(attempt: int) -> str:
    return f"approval-{attempt}"


def _verified(
    services: Services, opening: Opening, request: Request, answer: Answer, pause: Pause | None
) -> AnswerRecord:
    earlier = services.releases.approvals(opening.release_id)
    # By the roster pinned at opening, and by the one in force: somebody may have left since.
    rosters = (services.releases.roster(opening), services.roster())
    try:
        if answer.decision == "approve" and kind_of(answer.token) == BREAK_GLASS_KIND:
            policy = services.releases.policy(opening)
            emergency = accept_break_glass(
                answer.token, request, policy, rosters, services.signatures, at=services.now()
            )
            return AnswerRecord(approval=None, refusal=None, emergency=emergency)
        approval = accept(
            answer, request, rosters, services.signatures, pause=pause, at=services.now(), earlier=earlier
        )
    except ApprovalError as error:
        return AnswerRecord(approval=None, refusal=f"{error.problem} {error.remedy}")
    return AnswerRecord(approval=approval, refusal=None)


def _description(services: Services, opening: Opening) -> str:
    view = services.view(opening.release_id)
    refused = [answer.refusal for answer in services.releases.answers(opening.release_id) if answer.refusal]
    again = f"**The last answer was refused:** {md(refused[-1])}\n\n" if refused else ""
    return again + approval_description(view, links=links_of(opening, services.settings))
