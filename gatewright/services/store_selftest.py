"""The self-test of an object store: refuse one that does not keep what the ledger and the channels rely on.

Some S3 gateways ignore ``If-None-Match``, others check first and write then; a sequential test misses the second
kind, so writers race. It takes about a second; run it when a server starts, not in every process.
"""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

from gatewright.core.errors import StoreError
from gatewright.services.s3_protocol import code_of, s3_client, s3_errors, status_of, store_error
from gatewright.services.store import ObjectStore, S3Location, S3Store

__all__ = ["check_store"]

_WRITERS = 12
_ROUNDS = 6
_BODY_BYTES = 64 * 1024
_MEDIA_TYPE = "application/octet-stream"
_OTHER_SERVER = "use a server with atomic conditional writes: SeaweedFS 4.47, Ceph RGW, MinIO, AWS S3 or R2."


def check_store(store: ObjectStore) -> None:
    """Return if ``store`` keeps create-only objects, lists what was written and, over S3, lets no stranger in.

    Raises StoreError that names the store, what it did and the remedy. What it wrote under ``selftest/`` is
    removed again from a store that passed, if the access key may delete.
    """
    if isinstance(store, S3Store):
        _check_unversioned(store)
    prefix = f"selftest/{secrets.token_hex(8)}"
    written = [_check_overwrite(store, f"{prefix}/overwrite")]
    written += [_check_race(store, f"{prefix}/race-{number}") for number in range(_ROUNDS)]
    _check_listing(store, f"{prefix}/", written)
    if isinstance(store, S3Store):
        _check_strangers(store, written[0])
        _remove(store, written)


def _check_overwrite(store: ObjectStore, key: str) -> str:
    first, second = secrets.token_bytes(64), secrets.token_bytes(64)
    _require(store, store.create(key, first, _MEDIA_TYPE), "it did not keep a first write", _OTHER_SERVER)
    again = store.create(key, second, _MEDIA_TYPE)
    kept = not again and store.get(key) == first
    _require(store, kept, "it overwrites an object that must only be created (If-None-Match)", _OTHER_SERVER)
    return key


def _check_race(store: ObjectStore, key: str) -> str:
    bodies = [secrets.token_bytes(_BODY_BYTES) for _ in range(_WRITERS)]
    start = Barrier(_WRITERS)

    def write(body: bytes) -> bool:
        start.wait(timeout=60)
        return store.create(key, body, _MEDIA_TYPE)

    with ThreadPoolExecutor(_WRITERS) as writers:
        won = list(writers.map(write, bodies))
    winners = [body for body, first in zip(bodies, won, strict=True) if first]
    _require(
        store,
        len(winners) == 1 and store.get(key) == winners[0],
        f"of {_WRITERS} writers that raced to create one object {len(winners)} were told that they had",
        _OTHER_SERVER,
    )
    return key


def _check_listing(store: ObjectStore, prefix: str, written: list[str]) -> None:
    _require(
        store,
        list(store.keys(prefix)) == sorted(written),
        "its listing does not show what was just written",
        "use a store whose listings are consistent, and no cache or replica in front of it.",
    )


def _check_strangers(store: S3Store, key: str) -> None:
    location = store.location
    anonymous = s3_client(location, anonymous=True)
    wrong = {"secret_access_key": secrets.token_hex(24), "access_key_id": location.access_key_id or "AKIASTRANGER"}
    impostor = s3_client(S3Location(**{**location.model_dump(), **wrong}))
    target = {"Bucket": location.bucket, "Key": "/".join(part for part in (location.prefix, key) if part)}
    for who, client in (("without credentials", anonymous), ("with a wrong secret", impostor)):
        _check_refused(store, who, partial(client.get_object, **target))
        _check_refused(store, who, partial(client.put_object, **target, Body=b"stranger"))


def _check_refused(store: S3Store, who: str, request: Callable[[], Any]) -> None:
    try:
        request()
    except s3_errors() as error:
        if status_of(error) in (401, 403):
            return
        raise store_error(error, store.location.where()) from error
    _require(
        store,
        False,
        f"it lets requests {who} in",
        "require credentials: remove the bucket's public policy, or configure the server's identities.",
    )


def _check_unversioned(store: S3Store) -> None:
    try:
        status = store.client.get_bucket_versioning(Bucket=store.location.bucket).get("Status")
    except s3_errors() as error:
        if code_of(error) != "NotImplemented":  # a server without versions has none to switch on
            raise store_error(error, store.location.where()) from error
        return
    _require(
        store,
        status is None,
        f"the bucket's versioning is {status}: in a versioned bucket some servers ignore create-only writes",
        "use a bucket that never had versioning switched on for the ledger and the channels.",
    )


def _remove(store: S3Store, keys: list[str]) -> None:
    prefix = f"{store.location.prefix}/" if store.location.prefix else ""
    for key in keys:
        try:
            store.client.delete_object(Bucket=store.location.bucket, Key=prefix + key)
        except s3_errors() as error:
            if status_of(error) != 403:
                raise store_error(error, store.location.where(key)) from error


def _require(store: ObjectStore, held: bool, problem: str, remedy: str) -> None:
    if not held:
        where = store.location.where() if isinstance(store, S3Store) else type(store).__name__
        raise StoreError(f"this object store cannot be used: {problem}.", where=where, remedy=remedy)
