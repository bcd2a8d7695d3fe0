"""Put an earlier deployed model back."""

from gatewright.core.channels import ChannelEntry
from gatewright.services.rollbacks import RollbackOrder
from gatewright.wiring import connect
from tasks.notify import notify
from tasks.production import show_production
from tasks.stage import stage_task

__all__ = ["rollback"]


@stage_task(name="rollback", retries=0)
def rollback(model: str, to_release: str | None, actor: str, reason: str, operation: str) -> ChannelEntry:
    """Move production back to the previous deployed release, or to the one named.

    Raises what `services.rollbacks.Rollbacks.carry_out` raises.
    """
    services = connect()
    order = RollbackOrder(model=model, to_release=to_release, actor=actor, reason=reason, operation=operation)
    served = services.rollbacks.carry_out(order, services.policy(services.spec(model)), services.roster())
    show_production(services, model)
    notify(services, model)
    return served
