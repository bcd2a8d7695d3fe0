"""The outbox keeps what must be told through crashes at every store call, and looks only at what may be open."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from gatewright.core.causes import happened
from gatewright.core.errors import ServerError, StoreError
from gatewright.core.notices import Notice
from gatewright.core.routing import Route, Routes
from gatewright.services.notifications import Notifications
from gatewright.services.outbox import Outbox
from gatewright.services.reports.message import Message
from gatewright.services.store import ObjectStore
from tests.fakes import MemoryStore
from tests.faults.fault_store import READ_KINDS, WRITE_KINDS, Fault, FaultStore, PowerCutError
from tests.services.reports.example_view import NOON
from tests.services.test_notifications import notice

DAY = timedelta(days=1)


class Receiver:
    """Takes messages, unless it is ``down``."""

    def __init__(self) -> None:
        self.down = False
        self.got: list[str] = []

    def __call__(self, name: str, message: Message) -> None:
        if self.down:
            raise ServerError("busy.", where=name, remedy="wait.")
        self.got.append(message.subject)


class Desk:
    """One outbox over a store, a clock, and one place to tell. Each call is a process that remembers nothing."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.now: datetime = NOON
        self.receiver = Receiver()

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.store, lambda: self.now)

    def put(self, release_id: str = "r1") -> None:
        told: Notice = notice(release_id)
        self.outbox.put(
            told.model,
            f"release/{release_id}",
            lambda before: happened(before, release_id, "asked"),
            lambda _, __: told,
        )

    def deliver(self, after: timedelta = timedelta(0)) -> None:
        self.now += after
        routes = Routes(quiet_seconds=0, routes=(Route(role="*", send=("env:HOOK",)),))
        Notifications(self.outbox, routes, {"env": self.receiver}, lambda: self.now).deliver(seconds=20)


def at_once(desk: Desk) -> Iterator[Callable[[], None]]:
    """Told and delivered on one day, which is closed some days later."""
    yield desk.put
    yield desk.deliver
    yield lambda: desk.deliver(3 * DAY)


def on_another_day(desk: Desk) -> Iterator[Callable[[], None]]:
    """The receiver is down until the day on which it was put into the outbox has been closed."""
    desk.receiver.down = True
    yield desk.put
    yield desk.deliver
    yield lambda: desk.deliver(3 * DAY)
    desk.receiver.down = False
    yield lambda: desk.deliver(DAY)
    yield lambda: desk.deliver(3 * DAY)


Story = Callable[[Desk], Iterator[Callable[[], None]]]
STORIES: tuple[Story, ...] = (at_once, on_another_day)


def calls(story: Story) -> list[tuple[str, str]]:
    """What the story asks of its store when nothing fails."""
    store = FaultStore(MemoryStore())
    for step in story(Desk(store)):
        step()
    return store.asked


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_any_call_loses_no_message_and_sends_none_twice(story: Story):
    """Every call fails in every way; a second message is allowed only where the note of the first was not written."""
    asked = calls(story)
    assert len(asked) > 20
    for number, (operation, key) in enumerate(asked, 1):
        for kind in WRITE_KINDS if operation == "create" else READ_KINDS:
            store = FaultStore(MemoryStore(), Fault(number, kind, delay=2))
            desk = Desk(store)
            for step in story(desk):
                with suppress(PowerCutError, StoreError):
                    step()
                store.restart()
            # Whoever comes by next tells it again, as the sweep does with what the ledger says.
            desk.put()
            desk.deliver(timedelta(hours=11))
            store.land()
            desk.deliver(3 * DAY)
            sent = len(desk.receiver.got)
            unnoted = "-sent-" in key and kind != "503 after" and kind != "kill after"
            assert sent == 1 or (unnoted and sent == 2), (number, operation, key, kind, desk.receiver.got)
            assert desk.outbox.pending() == [], (number, key, kind)


class Counted(MemoryStore):
    """Counts the keys that listings hand out, and the objects that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.listed = self.read = 0

    def keys(self, prefix: str, *, start_after: str = "") -> Iterator[str]:
        found = list(super().keys(prefix, start_after=start_after))
        self.listed += len(found)
        return iter(found)

    def get(self, key: str) -> bytes:
        self.read += 1
        return super().get(key)


def cost_of_a_round(days: int) -> tuple[int, int]:
    """Keys listed and objects read when nothing is due, after so many days with one message each."""
    store = Counted()
    desk = Desk(store)
    for n in range(days):
        desk.put(f"r{n}")
        desk.deliver()
        desk.now += DAY
    assert len(desk.receiver.got) == days
    store.listed = store.read = 0
    desk.deliver()
    return store.listed, store.read


def test_a_round_costs_no_more_after_months_than_after_weeks():
    """What was delivered on days that are over is not listed again, nor read."""
    assert cost_of_a_round(45) == cost_of_a_round(120)


def test_what_waits_for_weeks_stays_on_the_list_and_keeps_no_day_open():
    """A place whose receiver nobody can reach yet: the list holds it once, and the days before are closed."""
    store = Counted()
    desk = Desk(store)
    desk.put("r1")
    for _ in range(30):
        Notifications(desk.outbox, Routes(routes=(Route(role="*", send=("block:slack-webhook/x",)),)), {},
                      lambda: desk.now).deliver(seconds=1)  # fmt: skip
        desk.now += DAY
    (pending,) = desk.outbox.pending()
    assert pending.prefix.endswith("/release/r1/000001")
    assert len(pending.marks) == 1
    store.listed = 0
    assert len(desk.outbox.pending()) == 1
    assert store.listed < 40
    desk.deliver()
    assert len(desk.receiver.got) == 1


def test_a_process_that_slept_for_days_before_it_wrote_is_heard_all_the_same(monkeypatch: pytest.MonkeyPatch):
    """Its day was closed meanwhile, so it puts the message on the list of the day on which it wakes."""
    store = MemoryStore()
    desk = Desk(store)
    create = store.create

    def slow(key: str, body: bytes, media_type: str) -> bool:
        if key.endswith("/r1/000001/entry.json"):
            desk.now += 3 * DAY
            desk.deliver()
            assert desk.receiver.got == []
        return create(key, body, media_type)

    monkeypatch.setattr(store, "create", slow)
    desk.put()
    desk.deliver()
    assert len(desk.receiver.got) == 1
