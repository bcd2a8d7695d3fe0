"""Sweep: what a suspended run cannot do itself, because it executes nothing while it waits."""

import functools
from datetime import datetime
from uuid import UUID

from prefect import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.states import Completed

from gatewright.core.errors import ServerError
from gatewright.core.governed import ROSTER_NAME
from gatewright.core.releases import Opening
from gatewright.core.roster import Roster
from gatewright.services.notifications import TRIES
from gatewright.services.overdue import Overdue
from gatewright.wiring import Services, connect
from tasks.events import tell
from tasks.notify import SWEEP_SECONDS, deliver, telling_of
from tasks.stage import stage_task

__all__ = [
    "attest_late",
    "deliver_messages",
    "escalate",
    "expire_overdue",
    "known_models",
    "remind",
    "remind_of_emergencies",
    "remind_of_waivers",
    "write_checkpoint",
]


@stage_task(name="known models")
def known_models() -> list[str]:
    """All models that ever opened a release."""
    return connect().ledger.models()


@stage_task(name="expire overdue")
def expire_overdue(model: str) -> list[str]:
    """Close releases that nobody answered in time."""
    services = connect()
    expired = services.releases.expire_overdue(model)
    for release_id in expired:
        get_run_logger().warning("release %s expired: nobody answered in time", release_id)
        _say_expired(services.releases.opening(release_id))
    return expired


@stage_task(name="escalate")
def escalate(model: str) -> str | None:
    """Tell the people whom a tier names when a release has waited too long; the release, when there was one."""
    services = connect()
    overdue = _overdue(services)
    found = overdue.escalation(model, services.roster())
    if found is None:
        return None
    # First the event, then the note: whoever dies in between tells people twice rather than never.
    tell("approval.escalated", model, found.model_dump(mode="json"))
    overdue.escalated(found)
    get_run_logger().warning("release %s waits too long: %s told", found.release_id, ", ".join(found.roles))
    return found.release_id


@stage_task(name="remind of waivers")
def remind_of_waivers(model: str) -> int:
    """Tell people when a waiver is over that the model that serves rests on; how many."""
    overdue = _overdue(connect())
    expired = overdue.expired_waivers(model)
    for found in expired:
        said = found.waiver.statement
        payload = {"release_id": found.release_id, "rule": said.rule, "slice": said.slice, "by": said.principal}
        tell("waiver.expired", model, payload)
        overdue.waiver_expired(found)
        get_run_logger().warning("%s serves under a waiver that is over: %s", found.release_id, found.waiver.in_full)
    return len(expired)


@stage_task(name="remind of emergencies")
def remind_of_emergencies(model: str) -> bool:
    """Ask for a rollback, each time, while a model serves by a break-glass that is over; whether one does."""
    overdue = _overdue(connect())
    found = overdue.emergency(model)
    if found is None:
        return False
    tell("break_glass.expired", model, found.model_dump(mode="json", exclude={"token"}))
    overdue.emergency_told(model, found)
    get_run_logger().warning("the break-glass of %s is over: roll back %s, or have it approved", found.principal, model)
    return True


@stage_task(name="attest what was approved late")
def attest_late(model: str) -> list[str]:
    """Attest again each release that went live by a break-glass and has its quorum by now; which."""
    services = connect()
    attested = [
        opening.release_id
        for opening in _overdue(services).unattested(model)
        if services.attestations.attest_late(opening, functools.partial(_roster_at, services), at=services.now())
    ]
    for release_id in attested:
        get_run_logger().info("the break-glass of %s was approved since: attested as passed", release_id)
    return attested


@stage_task(name="remind")
def remind(model: str) -> int:
    """Put into the outbox what time made due, and what a run that died did not tell; how many notices."""
    services = connect()
    telling = telling_of(services)
    due = telling.what_is_due(model)
    expiring = telling.what_expires(model, _overdue(services))
    return len(telling.what_happened(model)) + len(expiring) + (due is not None)


@stage_task(name="deliver messages")
def deliver_messages() -> list[str]:
    """Send what is in the outbox; who got a message. Raises ServerError when one will not be tried again."""
    done = deliver(connect(), seconds=SWEEP_SECONDS)
    if done.given_up:
        raise ServerError(
            f"a message was not taken {TRIES} times and will not be sent again.",
            where=", ".join(done.given_up),
            remedy="correct the address that it names; `gatewright show` says what the message would have said.",
        )
    return list(done.sent)


@stage_task(name="write checkpoint")
def write_checkpoint(model: str) -> None:
    """Sign how far the model's chains are, outside the bucket, where the settings name a place."""
    connect().checkpoints.write(model)


def _roster_at(services: Services, at: datetime) -> Roster:
    found = services.governance.as_of("roster", ROSTER_NAME, at)
    return found.roster if found else services.roster()


def _overdue(services: Services) -> Overdue:
    return Overdue(
        services.releases,
        services.ledger,
        services.evidence,
        services.channels,
        services.settings.channel,
        services.now,
    )


def _say_expired(opening: Opening) -> None:
    """Name the waiting run's state after the release's; a run that Prefect no longer knows is left alone."""
    ended: State[None] = Completed(name="Expired", message=f"{opening.release_id}: nobody answered in time")
    with get_client(sync_client=True) as client:
        try:
            client.set_flow_run_state(UUID(opening.flow_run), ended, force=True)
        except ObjectNotFound:
            get_run_logger().warning("Prefect does not know the run %s", opening.flow_run)
