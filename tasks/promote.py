"""Put an approved candidate into production: only these bytes, only over the champion it was compared with."""

from prefect.logging import get_run_logger

from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import ApprovalError
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.statements import Approval, Request
from gatewright.wiring import Services, connect
from tasks.production import show_production
from tasks.stage import stage_task

__all__ = ["promote"]


@stage_task(name="promote", retries=0)
def promote(opening: Opening, data: ReleaseData, candidate: Candidate, request: Request) -> None:
    """Recompute all digests, move the channel, wait until the target serves the candidate.

    Raises IntegrityError when any byte differs from what was approved, ApprovalError without a quorum,
    ConflictError when the champion is another than the one compared with, TargetError when the target
    does not serve the candidate in time (the channel is then back where it was).
    """
    services = connect()
    services.releases.verify(opening, candidate, data, request)
    approvals = _quorum(services, opening, request)
    actor = ", ".join(approval.principal for approval in approvals) or "gatewright"
    intent = ChannelEntry(
        action="deploy",
        release_id=opening.release_id,
        model_sha256=candidate.artifact.sha256,
        actor=actor,
        reason=approvals[0].reason if approvals else "the policy asks for no approval",
        at=services.now(),
        operation=opening.release_id,
    )
    timeout = services.releases.policy(opening).serving_timeout_seconds
    services.deployment.serve(
        opening.model,
        intent,
        expected=opening.channel_generation,
        timeout_seconds=timeout,
        check=lambda: services.releases.must_be_open(opening),
    )
    show_production(services, opening.model)
    get_run_logger().info("production serves %s", candidate.artifact.sha256[:12])


def _quorum(services: Services, opening: Opening, request: Request) -> tuple[Approval, ...]:
    """The approvals of exactly this request by distinct people; what the form said is not asked again."""
    approvals = [a for a in services.releases.approvals(opening.release_id) if a.request == request.digest]
    if any(a.decision == "reject" for a in approvals):
        raise ApprovalError("it was rejected.", where=opening.release_id, remedy="start a new release.")
    distinct = {a.principal: a for a in approvals}
    if len(distinct) < request.tier.approvals:
        raise ApprovalError(
            f"{len(distinct)} of {request.tier.approvals} approvals are there.",
            where=opening.release_id,
            remedy="resume the run in the Prefect UI and approve.",
        )
    return tuple(distinct.values())
