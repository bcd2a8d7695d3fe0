"""Evidence in the store: one create-only record per name under ``releases/<release_id>/<name>.json``."""

from typing import TypeVar

from gatewright.core.errors import ConflictError, NotFoundError
from gatewright.core.records import Record, sha256_hex
from gatewright.services.stable_bytes import stable_bytes
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["EvidenceStore"]

_ROOT = "releases"
_SUFFIX = ".json"

T = TypeVar("T", bound=Record)


class EvidenceStore:
    """Writes the records of a release once, and reads them back."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def write(self, name: str, release_id: str, record: Record) -> str:
        """Store the record, or find the equal one; its digest.

        Raises ConflictError when another record was written under this name, DataError when its digest would
        change on reading, StoreError.
        """
        key = _key(name, release_id)
        if not self._store.create(key, stable_bytes(record, where=key), "application/json"):
            raise ConflictError(
                "other evidence was written under this name before.",
                where=key,
                remedy="evidence is never replaced: read what is there, or begin a new release.",
            )
        return record.digest

    def read(self, name: str, release_id: str, kind: type[T]) -> T:
        """The record. Raises NotFoundError, IntegrityError when it is not of this kind, StoreError."""
        key = _key(name, release_id)
        return kind.from_bytes(self._store.get(key), where=key)

    def find(self, name: str, release_id: str, kind: type[T]) -> T | None:
        """The record, None when it was not written. Raises IntegrityError, StoreError."""
        try:
            return self.read(name, release_id, kind)
        except NotFoundError:
            return None

    def digest(self, name: str, release_id: str) -> str:
        """SHA-256 of the bytes that are in the store now. Raises NotFoundError, StoreError."""
        return sha256_hex(self._store.get(_key(name, release_id)))

    def names(self, release_id: str, *, beginning: str = "", after: str = "") -> list[str]:
        """The names of the records of one release that begin with ``beginning`` and sort after ``after``, sorted.

        The store looks at no others: a release that has served for a year has thousands of monitoring reports.
        """
        folder = f"{_ROOT}/{valid_name(release_id)}/"
        keys = self._store.keys(folder + beginning, start_after=folder + after + _SUFFIX if after else "")
        names = (key.removeprefix(folder) for key in keys)
        return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))

    def releases(self) -> list[str]:
        """The release ids that have evidence, sorted."""
        return sorted({key.split("/")[1] for key in self._store.keys(f"{_ROOT}/")})


def _key(name: str, release_id: str) -> str:
    return f"{_ROOT}/{valid_name(release_id)}/{valid_name(name)}{_SUFFIX}"
