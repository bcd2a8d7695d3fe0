"""Sweep: expire what nobody answered, escalate what waits too long, remind, send messages, sign checkpoints."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from tasks.sweep import (
    attest_late,
    deliver_messages,
    escalate,
    expire_overdue,
    known_models,
    remind,
    remind_of_emergencies,
    remind_of_waivers,
    write_checkpoint,
)

__all__ = ["sweep"]


@flow(name="sweep", retries=0)
def sweep() -> State[None]:
    """Look at every model; what fails for one of them does not keep the others from being looked at."""
    duties = (
        expire_overdue,
        escalate,
        remind_of_waivers,
        remind_of_emergencies,
        attest_late,
        remind,
        write_checkpoint,
    )
    states = {f"{duty.name} of {model}": duty(model, return_state=True) for model in known_models() for duty in duties}
    # After all of them, so that what is due together is one message.
    states[deliver_messages.name] = deliver_messages(return_state=True)
    failed = [about for about, state in states.items() if not state.is_completed()]
    if failed:
        return Failed(name="Incomplete", message=f"could not {'; could not '.join(failed)}")
    return Completed(name="Swept", message=f"{len(states)} looked at")
