"""Tell people: put into the outbox what they should know, and send it, without ever stopping what they are told of."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_UI_URL

from gatewright.core.errors import GatewrightError, SpecError
from gatewright.core.releases import Opening
from gatewright.core.responses import MonitoringDecision
from gatewright.core.routing import Routes
from gatewright.services.notifications import Delivered, Notifications, read_routes, send_by_apprise
from gatewright.services.outbox import Outbox
from gatewright.services.reports.message import Message
from gatewright.services.telling import Telling
from gatewright.wiring import Services

__all__ = ["SWEEP_SECONDS", "deliver", "notify", "notify_of_production", "routes_of", "telling_of"]

# A release waits no longer than this for those who are told of it; the sweep has more time.
AT_ONCE_SECONDS, SWEEP_SECONDS = 6.0, 30.0


def notify(services: Services, model: str) -> None:
    """Tell people what the ledger says of ``model`` and nobody was told of. What goes wrong is only logged."""
    _quietly(lambda: telling_of(services).what_happened(model))
    _quietly(lambda: deliver(services, seconds=AT_ONCE_SECONDS))


def notify_of_production(services: Services, model: str, release_id: str, decision: MonitoringDecision) -> None:
    """Tell people what a look at production asks for, once while it lasts. What goes wrong is only logged."""
    _quietly(lambda: telling_of(services).what_production_shows(model, release_id, decision))
    _quietly(lambda: deliver(services, seconds=AT_ONCE_SECONDS))


def telling_of(services: Services) -> Telling:
    return Telling(
        services.releases,
        services.ledger,
        Outbox(services.records, services.now),
        services.roster,
        _link,
        services.now,
    )


def deliver(services: Services, *, seconds: float) -> Delivered:
    """Send what is in the outbox. Raises SpecError for routes that cannot be read, StoreError."""
    senders = {"env": send_by_apprise, "block": send_by_block}
    outbox = Outbox(services.records, services.now)
    done = Notifications(outbox, routes_of(services), senders, services.now).deliver(seconds=seconds)
    log = get_run_logger()
    if done.sent:
        log.info("told: %s", ", ".join(done.sent))
    if done.failed:
        log.warning("not reached, the sweep tries again: %s", ", ".join(done.failed))
    return done


def routes_of(services: Services) -> Routes:
    """Who is told where, as it is written now. Raises SpecError."""
    return read_routes(services.settings.path(services.settings.notifications))


def send_by_block(name: str, message: Message) -> None:
    """Send by the notification block ``type-slug/name`` of the Prefect server.

    As plain text: the blocks do not say which markup they read. Raises SpecError for a block of another kind, and
    what the block raises.
    """
    block: Any = Block.load(name)
    if not isinstance(block, NotificationBlock):
        raise SpecError("this block sends no messages.", where=name, remedy="name a notification block.")
    sent = block.notify(message.text, subject=message.subject)
    if inspect.iscoroutine(sent):
        asyncio.run(sent)


def _quietly(told: Callable[[], object]) -> None:
    try:
        told()
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop what people would be told of
        said = error if isinstance(error, GatewrightError) else type(error).__name__
        get_run_logger().warning("not everybody could be told: %s", said)


def _link(opening: Opening) -> str:
    ui = PREFECT_UI_URL.value()
    return f"{str(ui).rstrip('/')}/runs/flow-run/{opening.flow_run}" if ui else ""
