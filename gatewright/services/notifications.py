"""Send what is in the outbox: one message a place at a time, never longer than somebody can wait, until it arrived."""

import contextvars
import functools
import html
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gatewright.core.errors import ServerError, SpecError
from gatewright.core.notices import Notice
from gatewright.core.routing import NOBODY, Routes, parse_routes
from gatewright.services.outbox import Outbox, Pending
from gatewright.services.reports.message import Message, message_of
from gatewright.services.text_files import read_text

if TYPE_CHECKING:
    from apprise import NotifyBase

__all__ = ["TRIES", "Delivered", "Notifications", "Sender", "apprise_server", "read_routes", "send_by_apprise"]

Sender = Callable[[str, Message], None]
_LOG = logging.getLogger(__name__)

# Eight tries, each after twice the time, are ten hours: a night.
TRIES = 8
BACKOFF = timedelta(minutes=5)
CONNECT_SECONDS = 4


@dataclass(frozen=True)
class Delivered:
    """What one round of sending did, by place: got a message, did not take it, will not be tried again."""

    sent: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()


_Due = dict[str, list[tuple[Pending, Notice]]]


@dataclass(frozen=True)
class Notifications:
    """The outbox and those who empty it: a ``Sender`` for each kind of destination, such as ``env``.

    A kind without a sender stays in the outbox for a process that has one.
    """

    outbox: Outbox
    routes: Routes
    senders: Mapping[str, Sender]
    now: Callable[[], datetime]

    def deliver(self, *, seconds: float) -> Delivered:
        """Send what is due, all of a place in one message; after ``seconds`` a place counts as not reached.

        A place that is slower may get the message all the same, and then gets it twice. Raises StoreError.
        """
        due = self._due()
        messages = {place: message_of([notice for _, notice in found]) for place, found in due.items()}
        arrived = _send_all(messages, self._sender, seconds)
        gone = [place for place in due if self._note(place, due[place], sent=place in arrived)]
        self.outbox.close_days()
        return Delivered(
            sent=tuple(place for place in due if place in arrived),
            failed=tuple(place for place in due if place not in arrived),
            given_up=tuple(gone),
        )

    def _due(self) -> _Due:
        due: _Due = {}
        for pending in self.outbox.pending():
            notice = self.outbox.notice(pending)
            open_places = self._open(pending, notice) if notice else ()
            if not open_places:
                self.outbox.done(pending)
            for place in open_places:
                if notice and self._try_now(pending, place):
                    due.setdefault(place, []).append((pending, notice))
        ours = {place: self._claimed(place, found) for place, found in due.items() if not self._quiet(place, found)}
        return {place: found for place, found in ours.items() if found}

    def _claimed(self, place: str, found: list[tuple[Pending, Notice]]) -> list[tuple[Pending, Notice]]:
        """Those that no other process sends at this moment."""
        return [one for one in found if self.outbox.claim(one[0], place, self.now())]

    def _open(self, pending: Pending, notice: Notice) -> tuple[str, ...]:
        """Where it must still go."""
        places = self.routes.destinations(notice.event, notice.roles)
        return tuple(p for p in places if not pending.sent(p) and len(pending.failed(p)) < TRIES)

    def _try_now(self, pending: Pending, place: str) -> bool:
        failed = pending.failed(place)
        waited = not failed or self.now() >= failed[-1] + BACKOFF * 2 ** (len(failed) - 1)
        return waited and place.partition(":")[0] in self.senders

    def _quiet(self, place: str, found: list[tuple[Pending, Notice]]) -> bool:
        if any(notice.urgent for _, notice in found):
            return False
        return self.outbox.sent_since(place, self.now() - timedelta(seconds=self.routes.quiet_seconds))

    def _note(self, place: str, found: list[tuple[Pending, Notice]], *, sent: bool) -> bool:
        """Whether this was the last try for one of them."""
        for pending, _ in found:
            self.outbox.tried(pending, place, self.now(), sent=sent)
        if sent:
            self.outbox.message_sent(place, self.now())
        for pending, notice in found:
            if not self._open(pending, notice):
                self.outbox.done(pending)
        return not sent and any(len(pending.failed(place)) >= TRIES for pending, _ in found)

    def _sender(self, place: str) -> tuple[Sender, str]:
        kind, _, name = place.partition(":")
        return self.senders[kind], name


def read_routes(path: Path) -> Routes:
    """Who is told where; nobody where there is no such file. Raises SpecError for one that cannot be followed."""
    if not path.exists():
        return NOBODY
    return parse_routes(read_text(path, remedy="write it as docs/notifications.md says."), where=str(path))


def apprise_server(name: str) -> "NotifyBase":
    """Who is behind the apprise URL in the environment variable ``name``; nothing is sent.

    Raises SpecError, which does not name the address, when there is none or apprise does not know it.
    """
    from apprise import Apprise, AppriseAsset

    # Its log quotes addresses.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    address = os.environ.get(name, "")
    # Without pictures: apprise's are fetched from elsewhere by whoever reads the message.
    asset = AppriseAsset(app_id="Gatewright", app_desc="Gatewright", app_url="", image_url_mask="", image_url_logo="")
    server = Apprise.instantiate(address, asset=asset) if address else None
    if server is None:
        raise SpecError(
            "the variable holds no address that apprise knows.",
            where=name,
            remedy="set it as docs/notifications.md says.",
        )
    return server


def send_by_apprise(name: str, message: Message) -> None:
    """Send to the apprise URL in the environment variable ``name``.

    Raises SpecError as `apprise_server`, ServerError when the receiver does not take it; neither names the address.
    """
    from apprise import Apprise, NotifyFormat, NotifyType

    server = apprise_server(name)
    server.socket_connect_timeout = server.socket_read_timeout = CONNECT_SECONDS
    body, body_format = message.html, NotifyFormat.HTML
    if server.secure_protocol == "slack":
        # Slack reads no backslashes, and apprise's Markdown lets <!channel> through: entities alone are safe there.
        server.notify_format = body_format = NotifyFormat.TEXT
        body = html.escape(message.text, quote=False)
    elif server.notify_format == NotifyFormat.TEXT:
        body, body_format = message.text, NotifyFormat.TEXT
    kind = NotifyType.WARNING if message.urgent else NotifyType.INFO
    sender = Apprise()
    sender.add(server)
    if not sender.notify(body=body, title=message.subject, body_format=body_format, notify_type=kind):
        raise ServerError("the receiver did not take the message.", where=name, remedy="look at its log.")


def _send_all(
    messages: Mapping[str, Message], sender: Callable[[str], tuple[Sender, str]], seconds: float
) -> frozenset[str]:
    """The places that took their message in time. Each has a thread of its own, so that one is not slow for all."""
    arrived: set[str] = set()
    threads = []
    for place, message in messages.items():
        send = functools.partial(_send, place, message, sender, arrived)
        # Prefect keeps its settings in context variables, which a new thread does not inherit.
        thread = threading.Thread(target=contextvars.copy_context().run, args=(send,), daemon=True)
        thread.start()
        threads.append(thread)
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return frozenset(arrived)


def _send(place: str, message: Message, sender: Callable[[str], tuple[Sender, str]], arrived: set[str]) -> None:
    try:
        send, name = sender(place)
        send(name, message)
    except Exception as error:  # noqa: BLE001 - a receiver may fail in any way, and its error may quote the address
        _LOG.warning("no message to %s: %s", place, type(error).__name__)
    else:
        arrived.add(place)
