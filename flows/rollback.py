"""Rollback: put an earlier model back. One command, the same pointer move as a promotion."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import StringConstraints

from flows.gates import ReleaseId, RequestedBy
from flows.outcome import run_name
from tasks.rollback import rollback as roll_back

__all__ = ["rollback"]

Reason = Annotated[str, StringConstraints(min_length=10, max_length=2000)]


@flow(name="rollback", flow_run_name=run_name, retries=0)
def rollback(
    model: str,
    actor: RequestedBy,
    reason: Reason,
    to_release: ReleaseId | None = None,
    rollback_id: ReleaseId | None = None,
) -> State[None]:
    """Serve the previous deployed release again, or the one named ``to_release``.

    ``rollback_id`` takes over a rollback whose run has died, so that it is not carried out twice.
    """
    entry = roll_back(model, to_release, actor, reason, rollback_id or f"rollback-{flow_run.id}")
    return Completed(name="Rolled back", message=f"production serves release {entry.release_id} again")
