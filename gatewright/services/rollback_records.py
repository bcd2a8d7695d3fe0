"""Accepted rollbacks in the store: one create-only record each, ``rollbacks/<model>/<channel>/<operation>.json``.

It is written before the channel moves, and the ledger names its digest once the model serves.
"""

from gatewright.core.errors import ConflictError, NotFoundError
from gatewright.core.rollback_proof import AcceptedRollback
from gatewright.services.stable_bytes import stable_bytes
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["RollbackRecords", "record_key"]


class RollbackRecords:
    """Writes what was accepted once, and reads it back. Whether it holds is for `core.rollback_proof` to say."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def add(self, accepted: AcceptedRollback) -> AcceptedRollback:
        """Record it; or what an earlier run of the same order recorded.

        Raises ConflictError when another order has this operation, StoreError.
        """
        key = record_key(accepted.model, accepted.environment, accepted.operation)
        if self._store.create(key, stable_bytes(accepted, where=key), "application/json"):
            return accepted
        found = self.find(accepted.model, accepted.environment, accepted.operation)
        if found is None or found.model_copy(update={"at": accepted.at}) != accepted:
            raise ConflictError(
                "another order was recorded under this name, and it has not moved the channel.",
                where=f"rollback {accepted.operation}",
                remedy="start a new one, without its rollback_id.",
            )
        return found

    def find(self, model: str, environment: str, operation: str) -> AcceptedRollback | None:
        """What was accepted under this name, None when nothing was. Raises IntegrityError, StoreError."""
        key = record_key(model, environment, operation)
        try:
            return AcceptedRollback.from_bytes(self._store.get(key), where=key)
        except NotFoundError:
            return None


def record_key(model: str, environment: str, operation: str) -> str:
    """The object key. Raises SpecError for a name that cannot be part of one."""
    return f"rollbacks/{valid_name(model)}/{valid_name(environment)}/{valid_name(operation)}.json"
