"""Sweep: expire what nobody answered, escalate what waits too long, remind of what is over, sign checkpoints."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from tasks.sweep import (
    escalate,
    expire_overdue,
    known_models,
    remind_of_emergencies,
    remind_of_waivers,
    write_checkpoint,
)

__all__ = ["sweep"]


@flow(name="sweep", retries=0)
def sweep() -> State[None]:
    """Look at every model; what fails for one of them does not keep the others from being looked at."""
    duties = (expire_overdue, escalate, remind_of_waivers, remind_of_emergencies, write_checkpoint)
    states = {f"{duty.name} of {model}": duty(model, return_state=True) for model in known_models() for duty in duties}
    failed = [about for about, state in states.items() if not state.is_completed()]
    if failed:
        return Failed(name="Incomplete", message=f"could not {'; could not '.join(failed)}")
    return Completed(name="Swept", message=f"{len(states)} looked at")
