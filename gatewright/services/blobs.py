"""Content-addressed bytes: what a reference names is what was written, or an IntegrityError."""

import hashlib
import logging
import os
import tempfile
from pathlib import Path

from gatewright.core.errors import IntegrityError, NotFoundError, StoreError
from gatewright.core.records import sha256_hex
from gatewright.core.refs import ArtifactRef
from gatewright.services.s3_protection import Protection
from gatewright.services.store import ObjectStore

__all__ = ["BlobStore"]

logger = logging.getLogger(__name__)


class BlobStore:
    """Blobs under ``blobs/sha256/ab/<hex>``, with local copies under ``cache``."""

    def __init__(self, store: ObjectStore, cache: Path) -> None:
        self._store = store
        self._cache = cache

    def put(self, body: bytes, media_type: str) -> ArtifactRef:
        """Store ``body``; the same bytes again are the same blob.

        Raises IntegrityError when other bytes lie under its digest.
        """
        ref = ArtifactRef(sha256=sha256_hex(body), size=len(body), media_type=media_type)
        if not self._store.create(_key(ref), body, media_type):
            raise _changed(_key(ref))
        return ref

    def get(self, ref: ArtifactRef) -> bytes:
        """The bytes, hashed again; where the store keeps versions, those that have the digest.

        Raises IntegrityError, NotFoundError, StoreError.
        """
        key = _key(ref)
        try:
            body = self._store.get(key)
            problem: StoreError = _changed(key)
        except NotFoundError as error:
            body, problem = b"", error
        if _is(ref, body):
            return body
        for earlier in self._store.versions(key):
            if _is(ref, earlier):
                logger.warning("%s was changed or deleted; an earlier version of the store has its bytes", key)
                return earlier
        raise problem

    def protection(self) -> Protection:
        """What the store does against deletion and change of blobs. Raises StoreError."""
        return self._store.protection()

    def path(self, ref: ArtifactRef) -> Path:
        """A local file with the bytes, hashed again at each call; a damaged copy is fetched again.

        Raises IntegrityError, NotFoundError, StoreError.
        """
        path = self._cache / "sha256" / ref.sha256[:2] / ref.sha256
        try:
            if not _holds(path, ref):
                _replace(path, self.get(ref))
        except OSError as error:
            raise StoreError(
                f"the local copy cannot be read or written ({error.strerror}).",
                where=str(path),
                remedy="make the cache directory writable, or free some disk space.",
            ) from error
        return path


def _key(ref: ArtifactRef) -> str:
    return f"blobs/sha256/{ref.sha256[:2]}/{ref.sha256}"


def _is(ref: ArtifactRef, body: bytes) -> bool:
    return len(body) == ref.size and sha256_hex(body) == ref.sha256


def _changed(key: str) -> IntegrityError:
    return IntegrityError(
        "the bytes are not the ones that were written.",
        where=key,
        remedy="stop and investigate; restore the object from a backup.",
    )


def _holds(path: Path, ref: ArtifactRef) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as file:
        return path.stat().st_size == ref.size and hashlib.file_digest(file, "sha256").hexdigest() == ref.sha256


def _replace(path: Path, body: bytes) -> None:
    """Write beside and rename, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(body)
        os.replace(fresh, path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
