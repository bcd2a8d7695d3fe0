"""A store as it was when an audit began: each object is read once, many at a time, and every step sees the same."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from gatewright.core.errors import ConflictError, GatewrightError, NotFoundError
from gatewright.core.refs import ArtifactRef
from gatewright.services.blobs import BlobStore
from gatewright.services.store import ObjectStore

__all__ = ["BlobsReadOnce", "Snapshot"]

_READERS = 8
# Specs, policies and rosters are asked for again and again; data and models once.
_KEPT_BYTES = 1_000_000


class Snapshot(ObjectStore):
    """What a store holds, read once and kept in memory. Nothing can be written through it."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._bodies: dict[str, bytes] = {}
        self._listed: dict[str, list[str]] = {}

    def read_ahead(self, *prefixes: str) -> None:
        """Read all objects under ``prefixes`` side by side. What fails is left to whoever asks for it."""
        with ThreadPoolExecutor(_READERS) as readers:
            listed = readers.map(self._keys_if_any, prefixes)
            list(readers.map(self._get_if_any, [key for keys in listed for key in keys]))

    def get(self, key: str) -> bytes:
        if key not in self._bodies:
            if any(key.startswith(prefix) and key not in keys for prefix, keys in self._listed.items()):
                raise NotFoundError("there is no such object.", where=key, remedy="find out who removed it.")
            self._bodies[key] = self._store.get(key)
        return self._bodies[key]

    def exists(self, key: str) -> bool:
        return key in self._bodies or self._store.exists(key)

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        raise ConflictError("an audit writes nothing.", where=key, remedy="write through the store itself.")

    def keys(self, prefix: str, *, start_after: str = "") -> Iterator[str]:
        if prefix not in self._listed:
            self._listed[prefix] = list(self._store.keys(prefix))
        return iter([key for key in self._listed[prefix] if key > start_after])

    def _keys_if_any(self, prefix: str) -> list[str]:
        try:
            return list(self.keys(prefix))
        except GatewrightError:
            return []

    def _get_if_any(self, key: str) -> None:
        try:
            self.get(key)
        except GatewrightError:
            return


class BlobsReadOnce(BlobStore):
    """Blobs of which the small ones are kept once they were read and hashed, and the others are only known to hold."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._kept: dict[ArtifactRef, bytes] = {}
        self._held: set[ArtifactRef] = set()

    def get(self, ref: ArtifactRef) -> bytes:
        if ref in self._kept:
            return self._kept[ref]
        body = self._blobs.get(ref)
        self._held.add(ref)
        if len(body) <= _KEPT_BYTES:
            self._kept[ref] = body
        return body

    def require(self, refs: set[ArtifactRef]) -> None:
        """Read and hash what was not read before, side by side. Raises IntegrityError, NotFoundError, StoreError."""
        with ThreadPoolExecutor(_READERS) as readers:
            for _ in readers.map(self._hold, sorted(refs - self._held, key=lambda ref: ref.sha256)):
                pass

    def _hold(self, ref: ArtifactRef) -> None:
        self.get(ref)
