"""Put an approved candidate into production."""

from prefect.logging import get_run_logger

from gatewright.core.channels import ChannelEntry
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.statements import Request
from gatewright.services.promotion import promote as promote_candidate
from gatewright.services.store_clock import require_one_time
from gatewright.services.terms import require_terms_in_force
from gatewright.wiring import connect
from tasks.production import show_production
from tasks.stage import stage_task

__all__ = ["promote"]


@stage_task(name="promote", retries=0)
def promote(opening: Opening, data: ReleaseData, candidate: Candidate, request: Request) -> ChannelEntry:
    """Verify everything again, move the channel, wait until the target serves the candidate; the confirmation.

    Raises what `services.promotion.promote` raises, and IntegrityError when policy or roster were not in force.
    """
    services = connect()
    require_one_time(services.records, services.now)
    require_terms_in_force(services.governance, opening)
    # A ledger whose tail was cut off since does not continue what was signed for.
    services.checkpoints.write(opening.model)
    served = promote_candidate(
        services.releases,
        services.deployment,
        opening,
        data,
        candidate,
        request,
        # By the roster pinned at opening, and by the one in force: somebody may have left since.
        rosters=(services.releases.roster(opening), services.roster()),
        signatures=services.signatures,
        now=services.now,
    )
    show_production(services, opening.model)
    get_run_logger().info("production serves %s", candidate.artifact.sha256[:12])
    return served
