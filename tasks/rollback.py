"""Put an earlier deployed model back."""

from gatewright.core.channels import ChannelEntry
from gatewright.core.rollback_order import RollbackOrder
from gatewright.wiring import connect
from tasks.notify import notify
from tasks.production import show_production
from tasks.stage import stage_task

__all__ = ["rollback"]


@stage_task(name="rollback", retries=0)
def rollback(order: RollbackOrder) -> ChannelEntry:
    """Move production back to the previous deployed release, or to the one named.

    Raises what `services.rollbacks.Rollbacks.carry_out` raises.
    """
    services = connect()
    policy = services.policy_in_force(services.spec(order.model))
    served = services.rollbacks.carry_out(order, policy, services.roster_in_force())
    show_production(services, order.model)
    notify(services, order.model)
    return served
