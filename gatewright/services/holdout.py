"""How often the same evaluation data have been used: one chain of create-only objects per model and data.

Chains lie under ``holdout/<model>/<digest of the data's bytes>``. A use is written before the data are looked at,
so a release that dies on the way has used them; the same release counts once, however often it is run.
"""

import random
import time

from gatewright.core.errors import ConflictError, StoreError
from gatewright.core.records import Record, Sha256, canonical_json, sha256_hex
from gatewright.core.refs import DatasetRef
from gatewright.services.generations import GenerationLog
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["HoldoutUse", "HoldoutUses", "content_digest"]

_ROOT = "holdout"
_TRIES = 200


class HoldoutUse(Record):
    """One release that looked at the data, and the policy that judged it."""

    release_id: str
    policy_sha256: Sha256


def content_digest(dataset: DatasetRef) -> str:
    """The digest of a dataset's bytes alone: the same rows under another name or path are the same holdout."""
    return sha256_hex(canonical_json({"files": sorted(file.artifact.sha256 for file in dataset.files)}))


class HoldoutUses:
    """Counts uses, and never forgets one."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def use(self, model: str, dataset: DatasetRef, use: HoldoutUse) -> int:
        """Count a use; its number, from 1 on. A release that is counted already keeps its number.

        Raises StoreError when it is not known whether the use was counted (then ask again) or when others
        always come first, IntegrityError when the chain is broken.
        """
        log = self._log(model, dataset)
        for _ in range(_TRIES):
            uses = self._uses(log)
            for number, known in enumerate(uses, start=1):
                if known.release_id == use.release_id:
                    return number
            try:
                return log.append(use.model_dump(mode="json"), expected=len(uses)).n
            except ConflictError:
                time.sleep(random.uniform(0, 0.02))
        raise StoreError(
            f"the use was not counted: others were first {_TRIES} times.",
            where=f"{_ROOT}/{model}",
            remedy="find out who opens releases of this model all the time.",
        )

    def uses(self, model: str, dataset: DatasetRef) -> list[HoldoutUse]:
        """All uses in their order. Raises IntegrityError, StoreError."""
        return self._uses(self._log(model, dataset))

    def _uses(self, log: GenerationLog) -> list[HoldoutUse]:
        return [generation.record(HoldoutUse, where=log.key(generation.n)) for generation in log.all()]

    def _log(self, model: str, dataset: DatasetRef) -> GenerationLog:
        return GenerationLog(self._store, f"{_ROOT}/{valid_name(model)}/{content_digest(dataset)}")
