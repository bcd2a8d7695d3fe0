"""The ledger's entries and what can be read from them. Hash-chained: each generation names the one before."""

from collections.abc import Iterable
from typing import Literal

from gatewright.core.assurance import Assurance
from gatewright.core.records import Record, Sha256, Timestamp
from gatewright.core.releases import ReleaseState

__all__ = ["LedgerEntry", "LedgerKind", "open_release", "state_of"]

LedgerKind = Literal[
    "opened", "decided", "waiting", "answer_refused", "approved",
    "deployed", "rejected", "expired", "blocked", "failed",
    "rolled_back", "monitored",
    "waived", "waiver_expired", "break_glass", "break_glass_expired", "escalated",
]  # fmt: skip


class LedgerEntry(Record):
    """One event: who did what to which release when, on which digests, and how surely it was them."""

    kind: LedgerKind
    release_id: str
    actor: str
    at: Timestamp
    digests: dict[str, Sha256] = {}
    note: str = ""
    assurance: Assurance | None = None


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
    """The state of a release, None when the ledger does not know it. The first end is the end."""
    return _states(entries).get(release_id)


def open_release(entries: Iterable[LedgerEntry]) -> str | None:
    """The release that has opened and not ended, if any: there is at most one per model."""
    return next((release_id for release_id, state in _states(entries).items() if not state.final), None)


def _states(entries: Iterable[LedgerEntry]) -> dict[str, ReleaseState]:
    states: dict[str, ReleaseState] = {}
    for entry in entries:
        known = states.get(entry.release_id)
        if entry.kind in _STATE and not (known and known.final):
            states[entry.release_id] = _STATE[entry.kind]
    return states
