"""The ledger in the store: one chain of generations per model under ``ledger/<model>``."""

import random
import time
from collections.abc import Callable

from gatewright.core.errors import ConflictError, StoreError
from gatewright.core.ledger import LedgerEntry
from gatewright.services.generations import FIRST_PREVIOUS, GenerationLog
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["LedgerStore"]

_ROOT = "ledger"
_TRIES = 200


class LedgerStore:
    """Appends entries and reads them back in order."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._logs: dict[str, GenerationLog] = {}

    def append(self, model: str, entry: LedgerEntry) -> int:
        """Append after whatever is there; the entry's number. Raises StoreError when others always come first."""
        return self.extend(model, lambda _: entry)

    def extend(self, model: str, next_entry: Callable[[list[LedgerEntry]], LedgerEntry | None]) -> int:
        """Append what ``next_entry`` makes of all entries; its number, 0 when that is None.

        When somebody else writes in between, ``next_entry`` is asked again: so what it decides holds for the
        ledger that its entry follows. Raises what it raises, and StoreError when others always come first.
        """
        for _ in range(_TRIES):
            entries = self.entries(model)
            entry = next_entry(entries)
            if entry is None:
                return 0
            try:
                return self.append_at(model, entry, expected=len(entries))
            except ConflictError:
                time.sleep(random.uniform(0, 0.02))
        raise StoreError(
            f"no entry could be appended: others were first {_TRIES} times.",
            where=f"{_ROOT}/{model}",
            remedy="find out who writes to this ledger all the time.",
        )

    def append_at(self, model: str, entry: LedgerEntry, *, expected: int) -> int:
        """Append as number ``expected`` + 1.

        Raises ConflictError when the ledger is not ``expected`` entries long, StoreError when it is not known
        whether the entry was appended: then read the ledger before trying again.
        """
        return self._log(model).append(entry.model_dump(mode="json"), expected=expected).n

    def entries(self, model: str) -> list[LedgerEntry]:
        """All entries, the hash chain verified; an unknown model has none. Raises IntegrityError, StoreError."""
        log = self._log(model)
        return [generation.record(LedgerEntry, where=log.key(generation.n)) for generation in log.all()]

    def head(self, model: str) -> tuple[int, str]:
        """How many entries there are and the SHA-256 of the last one (64 zeros when there is none).

        The hash chain is verified. Raises IntegrityError, StoreError.
        """
        digests = self.digests(model)
        return len(digests), digests[-1] if digests else FIRST_PREVIOUS

    def digests(self, model: str) -> list[str]:
        """The SHA-256 of each entry's bytes, the hash chain verified. Raises IntegrityError, StoreError."""
        return self._log(model).digests()

    def models(self) -> list[str]:
        """The models that have a ledger, sorted."""
        return sorted({key.split("/")[1] for key in self._store.keys(f"{_ROOT}/")})

    def _log(self, model: str) -> GenerationLog:
        if model not in self._logs:
            self._logs[model] = GenerationLog(self._store, f"{_ROOT}/{valid_name(model)}")
        return self._logs[model]
