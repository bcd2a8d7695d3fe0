"""The object store: create-only objects over the S3 API.

Everything Gatewright must not lose is an object that is written once and never changed, so one conditional
write (``If-None-Match: *``) carries the whole of it: blobs, evidence, ledger and channels.
"""

import base64
import hashlib
import random
import time
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from functools import cached_property
from io import BytesIO
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, field_validator

from gatewright.core.errors import NotFoundError, SpecError
from gatewright.core.records import Name
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

__all__ = ["ObjectStore", "S3Location", "S3Store", "valid_key", "valid_name"]

_SEGMENT_BYTES = 255
_NAME: TypeAdapter[str] = TypeAdapter(Name)


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


def valid_key(key: str) -> str:
    """``key`` itself, if it is a relative path of visible characters whose parts have 1 to 255 bytes.

    Raises SpecError otherwise: such a key could leave its directory, or be shown as another.
    """
    if any(unicodedata.category(character).startswith("C") for character in key):
        raise _bad_key(key, "it holds control or invisible characters")
    for segment in key.split("/"):
        if segment in ("", ".", "..") or len(segment.encode()) > _SEGMENT_BYTES:
            raise _bad_key(key, f"the part {segment[:40]!r} is empty, a dot path or over {_SEGMENT_BYTES} bytes")
    return key


def valid_name(name: str) -> str:
    """``name`` itself, if it may be one part of a key (see ``Name``). Raises SpecError otherwise."""
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        raise _bad_key(name, "a name has 1 to 63 lower-case letters, digits, '_', '.' and '-'") from error


def _bad_key(key: str, reason: str) -> SpecError:
    return SpecError(
        f"not a valid object key: {reason}.",
        where=ascii(key[:120]),
        remedy="use parts of letters, digits, '_', '.' and '-', separated by '/'.",
    )


class S3Location(BaseModel):
    """One bucket of one S3 server, and how to reach it.

    ``endpoint_url`` None means AWS; keys None mean boto3's own chain (instance role, profile, environment).
    ``checksum`` is ``when_required`` for Ceph over HTTPS. ``patience_seconds`` is how long one operation goes
    on while the store is silent, busy or restarting.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoint_url: str | None = None
    region: str = "us-east-1"
    bucket: str = Field(min_length=3, max_length=63)
    prefix: str = ""
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = None
    addressing_style: Literal["path", "virtual", "auto"] = "path"
    checksum: Literal["when_supported", "when_required"] = "when_supported"
    patience_seconds: float = Field(default=10.0, gt=0)

    @field_validator("endpoint_url")
    @classmethod
    def _without_credentials(cls, endpoint_url: str | None) -> str | None:
        if endpoint_url is not None and "@" in endpoint_url:
            raise ValueError("an endpoint URL is shown in messages, so it must not hold credentials")
        return endpoint_url

    @field_validator("prefix")
    @classmethod
    def _relative(cls, prefix: str) -> str:
        prefix = prefix.removesuffix("/")
        try:
            return valid_key(prefix) if prefix else ""
        except SpecError as error:
            raise ValueError(error.problem) from error

    def where(self, key: str = "") -> str:
        """The place of ``key`` for messages: endpoint, bucket, prefix, key."""
        parts = (self.endpoint_url or f"s3 ({self.region})", self.bucket, self.prefix, key)
        return "/".join(part.rstrip("/") for part in parts if part)


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
                return there == body
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
        """Create the bucket when there is none. Raises StoreError."""
        if self._read("head_bucket", "", absent="404") is not None:
            return
        location = self.location
        elsewhere = location.endpoint_url is None and location.region != "us-east-1"
        region = {"CreateBucketConfiguration": {"LocationConstraint": location.region}} if elsewhere else {}
        try:
            self.client.create_bucket(Bucket=location.bucket, **region)
        except s3_errors() as error:
            # Somebody else may have created it in between: what counts is that it is there and ours.
            if self._read("head_bucket", "", absent="404") is None:
                raise store_error(error, location.where()) from error

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
