"""The self-test accepts stores that keep their word, and refuses each kind that does not."""

import json
import time
from collections.abc import Iterator

import pytest

from gatewright.core.errors import StoreError
from gatewright.services.store import S3Location, S3Store
from gatewright.services.store_selftest import check_store
from tests.fakes import MemoryStore


class IgnoresTheCondition(MemoryStore):
    """As rclone's, JuiceFS's and nanio's gateways do."""

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        self.objects[key] = body
        return True


class ChecksThenActs(MemoryStore):
    """Passes every sequential test: the condition is looked at, the write comes later."""

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        if key in self.objects:
            return self.objects[key] == body
        time.sleep(0.002)
        self.objects[key] = body
        return True


class RefusesButOverwrites(MemoryStore):
    """Says that something is there, and writes all the same."""

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        first = key not in self.objects
        self.objects[key] = body
        return first


class RefusesEverybody(MemoryStore):
    """All writers of a race are told that another was first."""

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        return "race" not in key and super().create(key, body, media_type)


class ListsLate(MemoryStore):
    """A listing that comes from a replica."""

    def keys(self, prefix: str, *, start_after: str = "") -> Iterator[str]:
        return iter(sorted(super().keys(prefix, start_after=start_after))[:-1])


@pytest.fixture
def extra_bucket(s3_location: S3Location) -> S3Store:
    """A bucket whose settings a test may change."""
    store = S3Store(s3_location.model_copy(update={"bucket": "gatewright-changed", "prefix": ""}))
    store.ensure_bucket()
    return store


def test_the_embedded_store_passes_and_nothing_is_left(s3_store: S3Store) -> None:
    """Conditions, races, listing, strangers, versions; then what was written for it is removed."""
    check_store(s3_store)
    assert list(s3_store.keys("")) == []


def test_the_fake_store_passes(memory_store: MemoryStore) -> None:
    """What is built on it in tests may rely on the same."""
    check_store(memory_store)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (IgnoresTheCondition, "overwrites an object"),
        (RefusesButOverwrites, "overwrites an object"),
        (ChecksThenActs, "of 12 writers that raced"),
        (RefusesEverybody, "of 12 writers that raced to create one object 0"),
        (ListsLate, "listing does not show"),
    ],
)
def test_a_store_that_does_not_keep_its_word_is_refused(kind: type[MemoryStore], problem: str) -> None:
    """With the store, what it did, and what to use instead."""
    with pytest.raises(StoreError, match=problem) as caught:
        check_store(kind())
    assert caught.value.where == kind.__name__
    assert caught.value.remedy


def test_a_versioned_bucket_is_refused(extra_bucket: S3Store) -> None:
    """In one, Ceph ignores create-only writes."""
    bucket = extra_bucket.location.bucket
    for status in ("Enabled", "Suspended"):
        extra_bucket.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        with pytest.raises(StoreError, match=f"versioning is {status}") as caught:
            check_store(extra_bucket)
        assert caught.value.where == extra_bucket.location.where()


def test_a_bucket_that_anybody_may_read_is_refused(s3_location: S3Location) -> None:
    """Here by a bucket policy."""
    store = S3Store(s3_location.model_copy(update={"bucket": "gatewright-public", "prefix": ""}))
    store.ensure_bucket()
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::gatewright-public/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    store.client.put_bucket_policy(Bucket=store.location.bucket, Policy=policy)
    with pytest.raises(StoreError, match="lets requests without credentials in") as caught:
        check_store(store)
    assert "public policy" in caught.value.remedy
