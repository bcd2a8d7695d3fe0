"""What a bucket does to keep what was written: versions of each object, and Object Lock in COMPLIANCE mode.

A lock does not refuse an overwrite or a deletion: they add a version or a marker, and the locked version stays. So
who reads finds the bytes of a digest among the versions. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gatewright.core.errors import StoreError
from gatewright.services.s3_protocol import code_of, s3_errors, store_error

if TYPE_CHECKING:
    from gatewright.services.s3_location import S3Location
    from gatewright.services.store import S3Store

__all__ = ["Protection", "keep_longer", "lock_of", "protection_of", "require_lockable", "versions_of"]

# A server without these has none of them switched on.
_ABSENT = frozenset({"NotImplemented", "ObjectLockConfigurationNotFoundError"})


@dataclass(frozen=True)
class Protection:
    """``versioned``: earlier versions are kept; ``lockable``: the bucket has Object Lock; ``lock_days``: ours."""

    versioned: bool = False
    lockable: bool = False
    lock_days: int | None = None

    def __str__(self) -> str:
        versions = "versions kept" if self.versioned else "no versions"
        if self.lock_days is not None:
            return f"{versions}, locked for {self.lock_days} days (COMPLIANCE)"
        return f"{versions}, {'lock not asked for' if self.lockable else 'no lock'}"


def lock_of(location: "S3Location") -> dict[str, Any]:
    """What a write says so that the object is locked; nothing where no lock is asked for."""
    if location.lock_days is None:
        return {}
    return {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": _until(location.lock_days)}


def keep_longer(store: "S3Store", key: str) -> None:
    """Lock the latest version from now on, unless it is locked for longer. Raises StoreError."""
    assert store.location.lock_days is not None
    until = _until(store.location.lock_days)
    locked = _asked(store, "head_object", Key=key).get("ObjectLockRetainUntilDate")
    if locked is None or locked < until:
        _asked(store, "put_object_retention", Key=key, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until})


def protection_of(store: "S3Store") -> Protection:
    """What the bucket of ``store`` does. Raises StoreError."""
    lock = _asked(store, "get_object_lock_configuration").get("ObjectLockConfiguration", {})
    return Protection(_versioned(store), lock.get("ObjectLockEnabled") == "Enabled", store.location.lock_days)


def require_lockable(store: "S3Store") -> None:
    """Raises StoreError for a bucket without Object Lock, which many servers can only give to a new one."""
    if not protection_of(store).lockable:
        raise StoreError(
            f"what is written shall be locked for {store.location.lock_days} days, and the bucket has no Object Lock.",
            where=store.location.where(),
            remedy="name a new bucket, which is then made with it, and copy the blobs; or leave the lock out.",
        )


def versions_of(store: "S3Store", key: str) -> Iterator[bytes]:
    """The bytes of each version of ``key``, the latest first. Raises StoreError."""
    if not _versioned(store):
        return
    found = [one for one in _asked(store, "list_object_versions", Prefix=key).get("Versions", []) if one["Key"] == key]
    for version in sorted(found, key=lambda one: one["LastModified"], reverse=True):
        with closing(_asked(store, "get_object", Key=key, VersionId=version["VersionId"])["Body"]) as stream:
            yield bytes(stream.read())


def _versioned(store: "S3Store") -> bool:
    return _asked(store, "get_bucket_versioning").get("Status") == "Enabled"


def _until(days: int) -> datetime:
    # Whole seconds: some servers refuse fractions.
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)


def _asked(store: "S3Store", operation: str, **arguments: Any) -> dict[str, Any]:
    try:
        return dict(getattr(store.client, operation)(Bucket=store.location.bucket, **arguments))
    except s3_errors() as error:
        if code_of(error) in _ABSENT:
            return {}
        raise store_error(error, store.location.where(arguments.get("Key", ""))) from error
