"""The outbox: what people are to be told is stored before it is sent, and once for each cause.

``notices/<model>/<topic>/<number>/entry.json`` is what stands of a topic and the message about it, if it is news; the
number is the lock, as in ``generations``. Beside it ``<place>-<try>-sent-<time>.json`` or ``-failed-``, and
``-claim-``. ``outbox_days`` knows which entries may be open, so that a look costs no more the more was ever sent, and
nothing is lost between an event and its message.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gatewright.core.causes import Standing, news
from gatewright.core.errors import ConflictError
from gatewright.core.notices import Notice
from gatewright.core.records import Record, Timestamp, sha256_hex
from gatewright.services.outbox_days import OutboxDays
from gatewright.services.stable_bytes import stable_bytes
from gatewright.services.store import ObjectStore, valid_key, valid_name

__all__ = ["Entry", "Outbox", "Pending", "Tried"]

_ROOT, _SENT = "notices", "messages"
_JSON = "application/json"
_TRIES = 20
_CLAIM_SECONDS = 120
_TIME = "%Y%m%dt%H%M%S"
_TRIED = re.compile(r"([0-9a-f]{12})-(\d{2})-(sent|failed)-(\d{8}t\d{6})\.json", re.ASCII)


class Entry(Record):
    """What stands of a topic from now on, and what people are told of it; None when it is no news."""

    standing: Standing
    notice: Notice | None


class Tried(Record):
    """One try to send a notice to one place."""

    place: str
    sent: bool
    at: Timestamp


class Claim(Record):
    """Somebody sends a notice to a place now; ``nonce`` tells one process from another."""

    place: str
    nonce: str


@dataclass
class Pending:
    """An entry that is not done: where it stands, what marks it as open, and the tries so far by place."""

    prefix: str
    marks: list[str] = field(default_factory=list)
    tries: dict[str, list[tuple[bool, datetime]]] = field(default_factory=dict)

    def sent(self, place: str) -> bool:
        return any(sent for sent, _ in self._of(place))

    def failed(self, place: str) -> list[datetime]:
        """When it failed, the earliest first."""
        return sorted(at for sent, at in self._of(place) if not sent)

    def _of(self, place: str) -> list[tuple[bool, datetime]]:
        return self.tries.get(_short(place), [])


class Outbox:
    """Stores what people are to be told, and what became of it."""

    def __init__(self, store: ObjectStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._days = OutboxDays(store, _ROOT, now)

    def standing(self, model: str, topic: str) -> Standing | None:
        """What stands of a topic now."""
        number = self._last(_prefix(model, topic))
        return self._entry(_numbered(_prefix(model, topic), number)).standing if number else None

    def put(
        self,
        model: str,
        topic: str,
        change: Callable[[Standing | None], Standing],
        notice: Callable[[Standing, tuple[str, ...]], Notice | None],
    ) -> Notice | None:
        """Store what ``change`` makes of what stands; the notice, if that is news, which is stored with it.

        Raises ConflictError when others always come first, IntegrityError, StoreError.
        """
        prefix = _prefix(model, topic)
        for _ in range(_TRIES):
            number = self._last(prefix)
            before = self._entry(_numbered(prefix, number)).standing if number else None
            now = change(before)
            if now == before or (before is None and not now.causes):
                return None
            found = news(before, now)
            entry = Entry(standing=now, notice=notice(now, found) if found else None)
            if self._created(_numbered(prefix, number + 1), entry):
                return entry.notice
        raise ConflictError(
            "no notice could be stored: others always wrote first.", where=prefix, remedy="find out who writes there."
        )

    def pending(self) -> list[Pending]:
        """All entries that are not done, in the order of their keys."""
        return [
            Pending(prefix, marks, tries)
            for prefix, marks in sorted(self._days.open().items())
            if (tries := self._tries(prefix)) is not None
        ]

    def close_days(self) -> None:
        """Look no more at days that are over: what is open there stays on the list."""
        self._days.close()

    def notice(self, pending: Pending) -> Notice | None:
        """What a pending entry tells. Raises IntegrityError, StoreError."""
        return self._entry(pending.prefix).notice

    def claim(self, pending: Pending, place: str, at: datetime) -> bool:
        """Whether we are the one who sends now; of two processes in the same two minutes one is.

        Whoever dies after it leaves a claim that holds nobody up for longer.
        """
        number = len(pending.tries.get(_short(place), ())) + 1
        minutes = int(at.timestamp() // _CLAIM_SECONDS)
        key = f"{pending.prefix}/{_short(place)}-{number:02}-claim-{minutes}.json"
        return self._store.create(key, Claim(place=place, nonce=secrets.token_hex(16)).to_bytes(), _JSON)

    def tried(self, pending: Pending, place: str, at: datetime, *, sent: bool) -> None:
        """Note a try."""
        outcome = "sent" if sent else "failed"
        number = len(pending.tries.get(_short(place), ())) + 1
        key = f"{pending.prefix}/{_short(place)}-{number:02}-{outcome}-{_stamp(at)}.json"
        self._store.create(key, Tried(place=place, sent=sent, at=at).to_bytes(), _JSON)
        pending.tries.setdefault(_short(place), []).append((sent, at))

    def done(self, pending: Pending) -> None:
        """Nothing of it is left to send."""
        for mark in pending.marks:
            self._days.done(mark)

    def message_sent(self, place: str, at: datetime) -> None:
        """Note that a place got a message."""
        self._store.create(
            f"{_SENT}/{_short(place)}/{_stamp(at)}.json", Tried(place=place, sent=True, at=at).to_bytes(), _JSON
        )

    def sent_since(self, place: str, at: datetime) -> bool:
        """Whether a place got a message after ``at``."""
        prefix = f"{_SENT}/{_short(place)}/"
        return any(self._store.keys(prefix, start_after=f"{prefix}{_stamp(at)}.json"))

    def _created(self, prefix: str, entry: Entry) -> bool:
        """Whether it was written; marked as open before, so that whoever dies in between hides nothing."""
        key = f"{prefix}/entry.json"
        body = stable_bytes(entry, where=key)
        day = self._days.add(prefix)
        if not self._store.create(key, body, _JSON):
            return False
        self._days.keep(prefix, day)
        return True

    def _tries(self, prefix: str) -> dict[str, list[tuple[bool, datetime]]] | None:
        """By place; None while the entry is not written."""
        names = [key.removeprefix(f"{prefix}/") for key in self._store.keys(f"{prefix}/")]
        if "entry.json" not in names:
            return None
        found: dict[str, list[tuple[bool, datetime]]] = {}
        for tried in filter(None, map(_TRIED.fullmatch, names)):
            at = datetime.strptime(tried[4], _TIME).replace(tzinfo=UTC)
            found.setdefault(tried[1], []).append((tried[3] == "sent", at))
        return found

    def _last(self, prefix: str) -> int:
        numbers = (key.removeprefix(f"{prefix}/").split("/")[0] for key in self._store.keys(f"{prefix}/"))
        return max((int(number) for number in numbers if number.isdigit()), default=0)

    def _entry(self, prefix: str) -> Entry:
        key = f"{prefix}/entry.json"
        return Entry.from_bytes(self._store.get(key), where=key)


def _prefix(model: str, topic: str) -> str:
    return valid_key(f"{_ROOT}/{valid_name(model)}/{topic}")


def _numbered(prefix: str, number: int) -> str:
    return f"{prefix}/{number:06}"


def _short(place: str) -> str:
    """A place as a part of a key; it is the name of an address, never the address."""
    return sha256_hex(place.encode())[:12]


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_TIME)
