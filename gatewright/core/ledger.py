"""The ledger's entries and what can be read from them. Hash-chained: each generation names the one before."""

from collections.abc import Iterable
from typing import Literal

from gatewright.core.records import Record, Sha256, Timestamp
from gatewright.core.releases import ReleaseState

__all__ = ["LedgerEntry", "LedgerKind", "open_release", "state_of"]

LedgerKind = Literal[
    "opened", "decided", "waiting", "answer_refused", "approved",
    "deployed", "rejected", "expired", "blocked", "failed",
    "rolled_back", "monitored",
]  # fmt: skip


class LedgerEntry(Record):
    """One event: who did what to which release when, on which digests."""

    kind: LedgerKind
    release_id: str
    actor: str
    at: Timestamp
    digests: dict[str, Sha256] = {}
    note: str = ""


_STATE: dict[str, ReleaseState] = {
    "opened": ReleaseState.OPEN,
    "waiting": ReleaseState.WAITING,
    "deployed": ReleaseState.DEPLOYED,
    "rejected": ReleaseState.REJECTED,
    "expired": ReleaseState.EXPIRED,
    "blocked": ReleaseState.BLOCKED,
    "failed": ReleaseState.FAILED,
}


def state_of(release_id: str, entries: Iterable[LedgerEntry]) -> ReleaseState | None:
    """The state of a release, None when the ledger does not know it."""
    state = None
    for entry in entries:
        if entry.release_id == release_id and entry.kind in _STATE:
            state = _STATE[entry.kind]
    return state


def open_release(entries: Iterable[LedgerEntry]) -> str | None:
    """The release that has opened and not ended, if any: there is at most one per model."""
    unfinished: str | None = None
    for entry in entries:
        if entry.kind == "opened":
            unfinished = entry.release_id
        elif entry.release_id == unfinished and entry.kind in _STATE and _STATE[entry.kind].final:
            unfinished = None
    return unfinished
