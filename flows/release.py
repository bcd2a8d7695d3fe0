"""Release: gates -> decision -> approval -> promotion. Started by hand for a candidate that was trained before."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.gates import ReleaseId, RequestedBy, through_the_gates
from flows.outcome import closing_on_failure, run_name
from tasks.ingest import ingest
from tasks.opening import open_release
from tasks.train import adopt

__all__ = ["release"]


@flow(name="release", flow_run_name=run_name, retries=0)
def release(
    model: str,
    candidate_of: ReleaseId,
    period: str | None = None,
    requested_by: RequestedBy = "schedule",
    release_id: ReleaseId | None = None,
) -> State[None]:
    """Take the candidate that release ``candidate_of`` trained through the gates, on the data of ``period``."""
    opening = open_release(model, period, None, requested_by, release_id)
    with closing_on_failure(opening):
        candidate = adopt(opening, candidate_of)
        data = ingest(opening, candidate)
        return through_the_gates(opening, data, candidate)
