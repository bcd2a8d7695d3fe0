"""Locks, versions and clocks: what the real store refuses even to its owner, and what is read all the same."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gatewright.core.errors import IntegrityError, NotFoundError, StoreError
from gatewright.core.refs import ArtifactRef
from gatewright.services.blobs import BlobStore
from gatewright.services.clock import utc_now
from gatewright.services.embedded_store import EmbeddedStore
from gatewright.services.s3_location import S3Location
from gatewright.services.store import ObjectStore, S3Store
from gatewright.services.store_clock import require_one_time
from gatewright.services.store_selftest import check_store
from tests.fakes import MemoryStore

DAYS = 30


@pytest.fixture
def locked(seaweed: EmbeddedStore, s3_location: S3Location) -> S3Store:
    """A bucket whose blobs are locked; a place of its own for each test."""
    changes = {"bucket": "gatewright-locked", "lock_days": DAYS}
    store = S3Store(s3_location.model_copy(update=changes))
    store.ensure_bucket()
    return store


@pytest.fixture
def blobs(locked: S3Store, tmp_path: Path) -> BlobStore:
    return BlobStore(locked, tmp_path)


def full_key(store: S3Store, ref: ArtifactRef) -> str:
    return f"{store.location.prefix}/blobs/sha256/{ref.sha256[:2]}/{ref.sha256}"


def version(store: S3Store, key: str) -> dict[str, Any]:
    """The first version of an object, for a client of the owner's."""
    found = store.client.list_object_versions(Bucket=store.location.bucket, Prefix=key)["Versions"]
    return {"Bucket": store.location.bucket, "Key": key, "VersionId": found[-1]["VersionId"]}


def shorter(store: S3Store, **target: str) -> None:
    until = datetime.now(UTC) + timedelta(days=1)
    store.client.put_object_retention(**target, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until})


def unversioned(store: S3Store, **_: str) -> None:
    store.client.put_bucket_versioning(Bucket=store.location.bucket, VersioningConfiguration={"Status": "Suspended"})


@pytest.mark.parametrize(
    "attempt",
    [
        lambda store, **target: store.client.delete_object(**target),
        lambda store, **target: store.client.delete_object(**target, BypassGovernanceRetention=True),
        shorter,
        unversioned,
        lambda store, **_: store.client.delete_bucket(Bucket=store.location.bucket),
    ],
    ids=["delete", "delete and bypass", "shorten the lock", "switch versions off", "delete the bucket"],
)
def test_a_locked_blob_is_kept_from_its_owner(
    locked: S3Store, blobs: BlobStore, attempt: Callable[..., object]
) -> None:
    """With all rights there are: the store refuses, and the bytes are there."""
    ref = blobs.put(b"evidence", "text/plain")
    with pytest.raises(ClientError):
        attempt(locked, **version(locked, full_key(locked, ref)))
    assert blobs.get(ref) == b"evidence"


def test_a_blob_that_was_overwritten_or_deleted_is_read_from_its_version(
    locked: S3Store, blobs: BlobStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Both are allowed, and neither takes anything away; that it happened is logged."""
    ref = blobs.put(b"evidence", "text/plain")
    target = {"Bucket": locked.location.bucket, "Key": full_key(locked, ref)}
    locked.client.put_object(**target, Body=b"forged")
    assert blobs.get(ref) == b"evidence"
    locked.client.delete_object(**target)
    assert blobs.get(ref) == b"evidence"
    assert caplog.text.count("was changed or deleted") == 2


def test_the_versions_of_another_blob_are_no_help(locked: S3Store, blobs: BlobStore) -> None:
    """Only bytes of the digest are handed out; a name that continues another one is another name."""
    ref = blobs.put(b"evidence", "text/plain")
    missing = ref.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(NotFoundError):
        blobs.get(missing)
    wrong = ref.model_copy(update={"size": 3})
    with pytest.raises(IntegrityError):
        blobs.get(wrong)
    locked.create("a/b", b"1", "text/plain")
    locked.create("a/bc", b"2", "text/plain")
    assert list(locked.versions("a/b")) == [b"1"]


def test_a_blob_is_locked_from_the_day_it_was_last_written(s3_location: S3Location, locked: S3Store) -> None:
    """The evidence of a release may be of bytes that an earlier one wrote; a lock is never made shorter."""
    target = {"Bucket": locked.location.bucket, "Key": f"{locked.location.prefix}/k"}

    def days() -> int:
        until: datetime = locked.client.get_object_retention(**target)["Retention"]["RetainUntilDate"]
        return round((until - datetime.now(UTC)) / timedelta(days=1))

    for asked, held in ((DAYS, DAYS), (2 * DAYS, 2 * DAYS), (DAYS, 2 * DAYS)):
        store = S3Store(locked.location.model_copy(update={"lock_days": asked}))
        assert store.create("k", b"same", "text/plain")
        assert days() == held


def test_a_bucket_without_a_lock_is_refused_where_one_is_asked_for(s3_location: S3Location) -> None:
    """The setting came after the bucket: nothing would be locked, and nobody would know."""
    with pytest.raises(StoreError, match="no Object Lock"):
        S3Store(s3_location.model_copy(update={"lock_days": DAYS})).ensure_bucket()


def test_a_locked_bucket_cannot_hold_generations(locked: S3Store) -> None:
    """It keeps versions, in which some servers ignore create-only writes."""
    with pytest.raises(StoreError, match="versioning is Enabled"):
        check_store(locked)


def test_what_a_store_does_is_told(locked: S3Store, s3_store: S3Store, memory_store: MemoryStore) -> None:
    """For `gatewright doctor`."""
    assert str(locked.protection()) == "versions kept, locked for 30 days (COMPLIANCE)"
    assert str(s3_store.protection()) == str(memory_store.protection()) == "no versions, no lock"


@pytest.fixture(params=["memory_store", "s3_store"])
def store(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    """The fake, then the real one."""
    return request.getfixturevalue(request.param)


def test_a_store_tells_its_time_and_has_no_versions_unless_asked_to(store: ObjectStore) -> None:
    """The contract of every store; both run on this machine's clock."""
    store.create("k", b"body", "text/plain")
    assert abs(store.clock_skew(utc_now)) < timedelta(seconds=30)
    assert list(store.versions("k")) == []
    require_one_time(store, utc_now)


@pytest.mark.parametrize("minutes", [-3, 3])
def test_a_clock_three_minutes_off_stops_everything(s3_store: S3Store, minutes: int) -> None:
    """Against the real store's date, in both directions."""
    with pytest.raises(StoreError, match=r"1[78]\d s (ahead of|behind)") as caught:
        require_one_time(s3_store, lambda: utc_now() + timedelta(minutes=minutes))
    assert "timedatectl" in caught.value.remedy


@pytest.mark.parametrize("sign", [-1, 1])
def test_two_minutes_are_the_limit(memory_store: MemoryStore, sign: int) -> None:
    """Two minutes pass, and a moment more does not."""
    memory_store.skew = sign * timedelta(minutes=2)
    require_one_time(memory_store, utc_now)
    memory_store.skew += sign * timedelta(microseconds=1)
    with pytest.raises(StoreError, match="120 s"):
        require_one_time(memory_store, utc_now)
