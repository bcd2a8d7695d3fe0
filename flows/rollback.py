"""Rollback: put an earlier model back. One command, the same pointer move as a promotion."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import StringConstraints

from flows.gates import ReleaseId, RequestedBy
from flows.outcome import run_name
from gatewright.core.rollback_order import RollbackOrder, operation_in
from gatewright.core.tokens import MAX_TOKEN
from tasks.rollback import rollback as roll_back

__all__ = ["rollback"]

Reason = Annotated[str, StringConstraints(min_length=10, max_length=2000)]
Token = Annotated[str, StringConstraints(max_length=MAX_TOKEN)]


@flow(name="rollback", flow_run_name=run_name, retries=0)
def rollback(
    model: str,
    actor: RequestedBy,
    reason: Reason,
    to_release: ReleaseId | None = None,
    rollback_id: ReleaseId | None = None,
    token: Token | None = None,
) -> State[None]:
    """Serve the previous deployed release again, or the one named ``to_release``.

    ``rollback_id`` takes over a rollback whose run has died, so that it is not carried out twice. ``token`` is what
    the identity gateway stamps, or ``gatewright rollback`` signs; the other parameters must say the same.
    """
    operation = rollback_id or operation_in(token) or f"rollback-{flow_run.id}"
    order = RollbackOrder(
        model=model, to_release=to_release, actor=actor, reason=reason, operation=operation, token=token
    )
    entry = roll_back(order)
    return Completed(name="Rolled back", message=f"{entry.release_id} was put back at {entry.at:%Y-%m-%d %H:%M} UTC")
