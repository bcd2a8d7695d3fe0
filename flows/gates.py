"""What retrain and release have in common: from a candidate to an end state."""

from itertools import count
from typing import Annotated

from prefect.client.schemas.objects import State
from pydantic import StringConstraints

from flows.outcome import ended
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData, ReleaseState
from gatewright.core.statements import Request
from tasks.approve import ask, receive, request_approval
from tasks.decide import decide
from tasks.drift import drift
from tasks.evaluate import evaluate
from tasks.fairness import fairness
from tasks.leakage import leakage
from tasks.lineage import lineage
from tasks.promote import promote
from tasks.report import report
from tasks.robustness import robustness
from tasks.slices import slices
from tasks.uncertainty import uncertainty
from tasks.validate import validate

__all__ = ["ReleaseId", "RequestedBy", "through_the_gates"]

ReleaseId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
RequestedBy = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]


def through_the_gates(opening: Opening, data: ReleaseData, candidate: Candidate) -> State[None]:
    """Check, decide, ask, promote."""
    validate(opening, data)
    lineage(opening, data, candidate)
    for check in (leakage, evaluate, slices, uncertainty, robustness, fairness, drift):
        check(opening, data, candidate)
    decision = decide(opening, candidate)
    if decision.outcome == "block":
        report(opening)
        return ended(opening, ReleaseState.BLOCKED, decision.reasons[0])
    request = request_approval(opening, candidate, decision)
    report(opening)
    answer = _answered(opening, request)
    if answer is not ReleaseState.DEPLOYED:
        return ended(opening, answer, "by a person" if answer is ReleaseState.REJECTED else "nobody answered in time")
    served = promote(opening, data, candidate, request)
    return ended(opening, ReleaseState.DEPLOYED, "the service confirmed the candidate", digests={"move": served.digest})


def _answered(opening: Opening, request: Request) -> ReleaseState:
    """Ask until the quorum approves, somebody rejects or breaks the glass, or the window is over."""
    approved = 0
    for attempt in count(1):
        if approved >= request.tier.approvals:
            break
        answer = ask(opening, request, attempt)
        if answer is None:
            return ReleaseState.EXPIRED
        recorded = receive(opening, request, attempt, answer)
        if recorded.emergency is not None:
            return ReleaseState.DEPLOYED
        approval = recorded.approval
        if approval is not None and approval.decision == "reject":
            return ReleaseState.REJECTED
        approved += approval is not None
    return ReleaseState.DEPLOYED
