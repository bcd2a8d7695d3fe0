"""The object store: create-only objects over the S3 API.

Everything Gatewright must not lose is an object that is written once and never changed, so one conditional
write (``If-None-Match: *``) carries the whole of it: blobs, evidence, ledger and channels.
"""

import base64
import hashlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from io import BytesIO
from typing import Any, Protocol

from gatewright.core.errors import NotFoundError, StoreError
from gatewright.services.s3_location import S3Location
from gatewright.services.s3_protection import (
    Protection,
    keep_longer,
    lock_of,
    protection_of,
    require_lockable,
    versions_of,
)
from gatewright.services.s3_protocol import (
    AMBIGUOUS,
    BUSY,
    code_of,
    listing_hint,
    s3_client,
    s3_errors,
    silent,
    status_of,
    store_error,
)
from gatewright.services.store_keys import valid_key, valid_name

__all__ = ["ObjectStore", "S3Location", "S3Store", "valid_key", "valid_name"]


class ObjectStore(Protocol):
    """Named bytes that are written once. Keys are relative, their parts separated by ``/``."""

    def get(self, key: str) -> bytes:
        """The bytes. Raises NotFoundError when there are none, StoreError when the store cannot tell."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there are bytes under ``key``. Raises StoreError when the store cannot tell."""
        ...

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        """Write unless something is there. True: these bytes are there now; False: others were there first.

        Raises StoreError when the outcome could not be found out: the write may still land.
        """
        ...

    def keys(self, prefix: str, *, start_after: str = "") -> Iterator[str]:
        """All keys that begin with ``prefix`` and sort after ``start_after``, in order of their characters."""
        ...

    def versions(self, key: str) -> Iterator[bytes]:
        """What was ever written under ``key``, the latest first; nothing where the store keeps no versions."""
        return iter(())

    def protection(self) -> Protection:
        """What the store does against deletion and change. Raises StoreError."""
        return Protection()

    def clock_skew(self, now: Callable[[], datetime]) -> timedelta:
        """How far the store's clock is ahead of ours, to about a second. Raises StoreError."""
        raise StoreError("this store does not say what time it is.", where="clock", remedy="ask the store itself.")


class S3Store(ObjectStore):
    """One bucket of any server that speaks S3 and honours ``If-None-Match: *`` (see ``store_selftest``)."""

    def __init__(self, location: S3Location) -> None:
        self.location = location

    @cached_property
    def client(self) -> Any:
        """boto3's client, made at first use, shared by all threads."""
        return s3_client(self.location)

    def get(self, key: str) -> bytes:
        body = self._find(valid_key(key))
        if body is None:
            raise NotFoundError(
                "there is no such object.",
                where=self.location.where(key),
                remedy="check the name, and that the settings point at the store it was written to.",
            )
        return body

    def exists(self, key: str) -> bool:
        target = self._full(valid_key(key))
        found = self._read("head_object", key, absent="404", Key=target)
        if found is None:
            # A missing bucket answers a HEAD as a missing object does; a listing tells them apart.
            self._read("list_objects_v2", "", Prefix=target, MaxKeys=1)
        return found is not None

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        valid_key(key)
        deadline = time.monotonic() + self.location.patience_seconds
        for pause in _pauses():
            error = self._put(key, body, media_type)
            if error is None:
                return True
            there = self._find(key, unresolved=True)
            if there is not None:
                return there == body and self._kept(key)
            if not time.monotonic() + pause < deadline:
                raise store_error(error, self.location.where(key), unresolved=True) from error
            time.sleep(pause)
        raise AssertionError("pauses do not end")

    def keys(self, prefix: str, *, start_after: str = "") -> Iterator[str]:
        if prefix:
            valid_key(prefix.removesuffix("/"))
        hint = listing_hint(prefix, start_after)
        cut = len(self._full(prefix)) - len(prefix)
        found = (key[cut:] for key in self._list(self._full(prefix), self._full(hint) if hint else ""))
        # SeaweedFS lists directory by directory, which is not the order of the characters.
        return iter(sorted(key for key in found if key > start_after))

    def ensure_bucket(self) -> None:
        """Create the bucket when there is none. Raises StoreError, also for one that cannot lock what must be."""
        if self._read("head_bucket", "", absent="404") is None:
            self._create_bucket()
        if self.location.lock_days is not None:
            require_lockable(self)

    def versions(self, key: str) -> Iterator[bytes]:
        return versions_of(self, self._full(valid_key(key)))

    def protection(self) -> Protection:
        return protection_of(self)

    def clock_skew(self, now: Callable[[], datetime]) -> timedelta:
        asked = now()
        answer = self._read("head_bucket", "")
        answered = now()
        # RFC 9110, 6.6.1: the beginning of the second in which the answer was made.
        date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return date + timedelta(seconds=0.5) - (asked + (answered - asked) / 2)

    def _create_bucket(self) -> None:
        location = self.location
        elsewhere = location.endpoint_url is None and location.region != "us-east-1"
        region = {"CreateBucketConfiguration": {"LocationConstraint": location.region}} if elsewhere else {}
        try:
            self.client.create_bucket(
                Bucket=location.bucket, ObjectLockEnabledForBucket=location.lock_days is not None, **region
            )
        except s3_errors() as error:
            # Somebody else may have created it in between: what counts is that it is there and ours.
            if self._read("head_bucket", "", absent="404") is None:
                raise store_error(error, location.where()) from error

    def _kept(self, key: str) -> bool:
        """What is written again is kept from now on, as what is written."""
        if self.location.lock_days is not None:
            keep_longer(self, self._full(key))
        return True

    def _full(self, key: str) -> str:
        return f"{self.location.prefix}/{key}" if self.location.prefix else key

    def _list(self, prefix: str, start_after: str) -> Iterator[str]:
        position: dict[str, Any] = {"StartAfter": start_after} if start_after else {}
        while True:
            page = self._read("list_objects_v2", "", Prefix=prefix, **position)
            yield from (entry["Key"] for entry in page.get("Contents", []))
            if not page.get("IsTruncated"):
                return
            position = {"ContinuationToken": page["NextContinuationToken"]}

    def _find(self, key: str, *, unresolved: bool = False) -> bytes | None:
        answer = self._read("get_object", key, absent="NoSuchKey", unresolved=unresolved, Key=self._full(key))
        return None if answer is None else bytes(answer["Body"])

    def _put(self, key: str, body: bytes, media_type: str) -> Exception | None:
        """One conditional write; the error, when its outcome is unknown. Raises StoreError when it is refused."""
        try:
            self.client.put_object(
                Bucket=self.location.bucket,
                Key=self._full(key),
                # A stream is sent in pieces, each with its own time-out; bytes would have one for the whole.
                Body=BytesIO(body),
                ContentType=media_type,
                IfNoneMatch="*",
                ChecksumSHA256=base64.b64encode(hashlib.sha256(body).digest()).decode(),
                **lock_of(self.location),
            )
        except s3_errors() as error:
            if silent(error) or status_of(error) in AMBIGUOUS:
                return error
            raise store_error(error, self.location.where(key)) from error
        return None

    def _read(self, operation: str, key: str, *, absent: str = "", unresolved: bool = False, **arguments: Any) -> Any:
        """Ask again until the store answers or patience ends; None when it answers ``absent``."""
        deadline = time.monotonic() + self.location.patience_seconds
        for pause in _pauses():
            try:
                return self._ask(operation, arguments)
            except s3_errors() as error:
                if absent and code_of(error) == absent:
                    return None
                busy = silent(error) or status_of(error) in BUSY
                if not (busy and time.monotonic() + pause < deadline):
                    raise store_error(error, self.location.where(key), unresolved=unresolved) from error
            time.sleep(pause)
        raise AssertionError("pauses do not end")

    def _ask(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = dict(getattr(self.client, operation)(Bucket=self.location.bucket, **arguments))
        if "Body" in answer:
            # Entered by itself, a body hands out the raw stream behind its checksum and its error handling.
            with closing(answer["Body"]) as stream:
                answer["Body"] = stream.read()
        return answer


def _pauses() -> Iterator[float]:
    """Seconds to wait between tries, doubling up to 2 s, spread out so that rivals do not meet again."""
    pause = 0.1
    while True:
        yield pause * random.uniform(0.5, 1.0)
        pause = min(2 * pause, 2.0)
