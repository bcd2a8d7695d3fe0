"""Retrain: fit a candidate on all periods before one, then take it through the gates. Runs on a schedule."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.gates import ReleaseId, RequestedBy, through_the_gates
from flows.outcome import closing_on_failure, run_name
from tasks.ingest import ingest
from tasks.opening import open_release
from tasks.train import train

__all__ = ["retrain"]


@flow(name="retrain", flow_run_name=run_name, retries=0)
def retrain(
    model: str,
    period: str | None = None,
    features: list[str] | None = None,
    requested_by: RequestedBy = "schedule",
    release_id: ReleaseId | None = None,
) -> State[None]:
    """Train on what came before ``period`` (default: the newest), evaluate on it, release if all agree.

    ``features`` replaces the spec's list, to try another candidate under the same gates. ``release_id``
    takes over a release whose run has died.
    """
    opening = open_release(model, period, features, requested_by, release_id)
    with closing_on_failure(opening):
        data = ingest(opening)
        candidate = train(opening, data)
        return through_the_gates(opening, data, candidate)
