"""Which entries of the outbox may still be open, found without listing what was delivered long ago.

``due/<day>/<entry>/due.json`` is written before its entry, so that no crash hides one, and ``done.json`` beside it when
nothing is left to send. Days that are over are closed by ``due-closed/<day>.json``, and a listing begins behind the
newest of these. What is open on such a day, because a receiver is down for long, is put on today's list first.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from gatewright.services.store import ObjectStore

__all__ = ["OutboxDays"]

_DUE, _CLOSED = "due", "due-closed"
_JSON = "application/json"
_DAY = "%Y%m%d"
# Sorts after every name, so a listing that starts behind it leaves the day out.
_END = "~"
# A mark is written for each day with messages: where none is younger than this, all of them are looked at.
_MARKS_OF_DAYS = 40


class OutboxDays:
    """Marks of entries by day. An entry is the prefix of its objects, below ``root``, a mark that of its own."""

    def __init__(self, store: ObjectStore, root: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._root = root
        self._now = now

    def add(self, entry: str) -> str:
        """Put an entry on today's list; the day."""
        day = self._day(0)
        self._store.create(f"{_DUE}/{day}/{entry.removeprefix(f'{self._root}/')}/due.json", b"{}", _JSON)
        return day

    def keep(self, entry: str, day: str) -> None:
        """After the entry was written: put it on the list again if ``day`` is over, and so may be closed."""
        while day != self._day(0):
            day = self.add(entry)

    def open(self) -> dict[str, list[str]]:
        """The marks of each entry that may still have something to send."""
        found: dict[str, list[str]] = {}
        for mark in self._open_marks(self._listed()):
            found.setdefault(self._entry(mark), []).append(mark)
        return found

    def done(self, mark: str) -> None:
        """Nothing is left to send of the entry it stands for, or another mark stands for it."""
        self._store.create(f"{mark}/done.json", b"{}", _JSON)

    def close(self) -> None:
        """Close the days before yesterday: no process with a clock that counts writes there any more."""
        listed = [key for key in self._listed() if _day_of(key) < self._day(-1)]
        for mark in self._open_marks(listed):
            # Who marks an entry and dies before it is written leaves nothing to send.
            if self._store.exists(f"{self._entry(mark)}/entry.json"):
                self.add(self._entry(mark))
            self.done(mark)
        if listed:
            self._store.create(f"{_CLOSED}/{_day_of(listed[-1])}.json", b"{}", _JSON)

    def _listed(self) -> list[str]:
        closed = self._closed()
        return list(self._store.keys(f"{_DUE}/", start_after=f"{_DUE}/{closed}/{_END}" if closed else ""))

    def _closed(self) -> str:
        """The newest day that is closed; empty for none."""
        recent = f"{_CLOSED}/{self._day(-_MARKS_OF_DAYS)}"
        keys = list(self._store.keys(f"{_CLOSED}/", start_after=recent)) or list(self._store.keys(f"{_CLOSED}/"))
        return keys[-1].removeprefix(f"{_CLOSED}/").removesuffix(".json") if keys else ""

    def _open_marks(self, listed: list[str]) -> list[str]:
        done = {key.removesuffix("/done.json") for key in listed if key.endswith("/done.json")}
        due = (key.removesuffix("/due.json") for key in listed if key.endswith("/due.json"))
        return [mark for mark in due if mark not in done]

    def _entry(self, mark: str) -> str:
        return f"{self._root}/{mark.split('/', 2)[2]}"

    def _day(self, days: int) -> str:
        return (self._now() + timedelta(days=days)).strftime(_DAY)


def _day_of(key: str) -> str:
    return key.split("/")[1]
