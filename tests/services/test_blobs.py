"""Content-addressed blobs and their local copies."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gatewright.core.errors import IntegrityError, NotFoundError, StoreError
from gatewright.core.refs import ArtifactRef
from gatewright.services.blobs import BlobStore
from gatewright.services.store import S3Store
from tests.fakes import MemoryStore

# FIPS 180-2, appendix B.1
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
ABC_KEY = f"blobs/sha256/ba/{ABC}"


@pytest.fixture
def blobs(memory_store: MemoryStore, tmp_path: Path) -> BlobStore:
    """Blobs in memory, copies in a directory of the test."""
    return BlobStore(memory_store, tmp_path / "cache")


def test_a_blob_is_named_by_its_sha256(memory_store: MemoryStore, blobs: BlobStore) -> None:
    """The published digest of "abc"."""
    ref = blobs.put(b"abc", "text/plain")
    assert ref == ArtifactRef(sha256=ABC, size=3, media_type="text/plain")
    assert memory_store.objects == {ABC_KEY: b"abc"}


def test_a_blob_comes_back_from_the_real_store(s3_store: S3Store, tmp_path: Path) -> None:
    """As bytes and as a file, also with a size of no bytes."""
    blobs = BlobStore(s3_store, tmp_path)
    for body in (b"", b"abc", bytes(range(256)) * 30_000):
        ref = blobs.put(body, "application/octet-stream")
        assert blobs.get(ref) == body
        assert blobs.path(ref).read_bytes() == body


@pytest.mark.parametrize("damaged", [b"abd", b"abcd", b""])
def test_damaged_bytes_are_never_handed_out(memory_store: MemoryStore, blobs: BlobStore, damaged: bytes) -> None:
    """Neither as bytes nor as a file, and a later put does not take them for its own."""
    ref = blobs.put(b"abc", "text/plain")
    memory_store.objects[ABC_KEY] = damaged
    for operation in (blobs.get, blobs.path, lambda _: blobs.put(b"abc", "text/plain")):
        with pytest.raises(IntegrityError) as caught:
            operation(ref)
        assert caught.value.where == ABC_KEY


def test_a_reference_with_a_wrong_size_is_refused(blobs: BlobStore) -> None:
    """Also when a local copy has the right digest."""
    ref = blobs.put(b"abc", "text/plain")
    blobs.path(ref)
    wrong = ref.model_copy(update={"size": 4})
    for operation in (blobs.get, blobs.path):
        with pytest.raises(IntegrityError):
            operation(wrong)


def test_an_unknown_blob_is_not_found(blobs: BlobStore) -> None:
    """Its digest is named."""
    with pytest.raises(NotFoundError, match=ABC):
        blobs.path(ArtifactRef(sha256=ABC, size=3, media_type="text/plain"))


def test_a_local_copy_is_fetched_once(memory_store: MemoryStore, blobs: BlobStore) -> None:
    """The second time it comes from the cache, and works without the store."""
    ref = blobs.put(b"abc", "text/plain")
    first = blobs.path(ref)
    memory_store.fail("get", StoreError("down.", where="store", remedy="start it."))
    assert blobs.path(ref) == first


@pytest.mark.parametrize("damaged", [b"abd", b"abcd", b""])
def test_a_damaged_local_copy_is_fetched_again(blobs: BlobStore, damaged: bytes) -> None:
    """It is hashed at each call."""
    ref = blobs.put(b"abc", "text/plain")
    blobs.path(ref).write_bytes(damaged)
    assert blobs.path(ref).read_bytes() == b"abc"


def test_a_copy_that_fails_leaves_nothing_behind(memory_store: MemoryStore, blobs: BlobStore, tmp_path: Path) -> None:
    """No half file, no temporary file."""
    ref = blobs.put(b"abc", "text/plain")
    memory_store.objects[ABC_KEY] = b"abd"
    with pytest.raises(IntegrityError):
        blobs.path(ref)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_many_may_fetch_the_same_copy_at_once(memory_store: MemoryStore, tmp_path: Path) -> None:
    """Each sees the whole file, and only the file is left."""
    body = bytes(range(256)) * 5_000
    ref = BlobStore(memory_store, tmp_path).put(body, "application/octet-stream")
    with ThreadPoolExecutor(8) as readers:
        read = list(readers.map(lambda _: BlobStore(memory_store, tmp_path).path(ref).read_bytes(), range(16)))
    assert read == [body] * 16
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_cache_that_cannot_be_written_is_named(memory_store: MemoryStore, tmp_path: Path) -> None:
    """Here a file is where the directory should be."""
    (tmp_path / "cache").write_bytes(b"")
    blobs = BlobStore(memory_store, tmp_path / "cache")
    with pytest.raises(StoreError, match="cannot be read or written") as caught:
        blobs.path(blobs.put(b"abc", "text/plain"))
    assert str(tmp_path / "cache") in caught.value.where
