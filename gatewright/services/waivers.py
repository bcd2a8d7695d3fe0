"""Waivers in the store: one chain of generations per model under ``waivers/<model>``, which nobody can thin out."""

import random
import time

from gatewright.core.errors import ConflictError, IntegrityError, StoreError
from gatewright.core.waivers import Waiver
from gatewright.services.generations import GenerationLog
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["Waivers"]

_ROOT = "waivers"
_TRIES = 50


class Waivers:
    """Appends waivers and reads them back. Whether one holds is for `core.waivers` to say, each time."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._logs: dict[str, GenerationLog] = {}

    def add(self, waiver: Waiver) -> None:
        """Append a waiver unless it is there. Raises StoreError when others always come first."""
        model = waiver.statement.model
        for _ in range(_TRIES):
            known = self.of(model)
            if waiver in known:
                return
            try:
                self._log(model).append(waiver.model_dump(mode="json"), expected=len(known))
            except ConflictError:
                time.sleep(random.uniform(0, 0.02))
            else:
                return
        raise StoreError(
            "no waiver could be appended: others always wrote first.",
            where=f"{_ROOT}/{model}",
            remedy="find out who writes there all the time.",
        )

    def of(self, model: str) -> list[Waiver]:
        """All that were ever signed for a model, the oldest first. Raises IntegrityError, StoreError."""
        log = self._log(model)
        found = [generation.record(Waiver, where=log.key(generation.n)) for generation in log.all()]
        for n, waiver in enumerate(found, start=1):
            if waiver.statement.model != model:
                raise IntegrityError(
                    f"this is a waiver for {waiver.statement.model}.",
                    where=log.key(n),
                    remedy="find out who put it there.",
                )
        return found

    def digests(self, model: str) -> list[str]:
        """SHA-256 of each generation, the hash chain verified. Raises IntegrityError, StoreError."""
        return self._log(model).digests()

    def models(self) -> list[str]:
        """The models that ever had one, sorted."""
        return sorted({key.split("/")[1] for key in self._store.keys(f"{_ROOT}/")})

    def _log(self, model: str) -> GenerationLog:
        if model not in self._logs:
            self._logs[model] = GenerationLog(self._store, f"{_ROOT}/{valid_name(model)}")
        return self._logs[model]
