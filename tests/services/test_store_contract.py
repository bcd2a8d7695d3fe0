"""What every object store must do: the same tests for the fake and for the real one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from gatewright.core.errors import NotFoundError, SpecError
from gatewright.services.s3_protocol import listing_hint
from gatewright.services.store import ObjectStore, S3Location, valid_key, valid_name

BAD_KEYS = [
    "", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\nb", "a\x00b", "a\x7fb", "a\u202eb", "\ud800", "é" * 128,
]  # fmt: skip


@pytest.fixture(params=["memory_store", "s3_store"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """The fake, then the real one."""
    found: ObjectStore = request.getfixturevalue(request.param)
    return found


def test_a_created_object_is_read_back(store: ObjectStore) -> None:
    """Bytes come back as they were written, also none and also large ones."""
    for key, body in {"a/b.json": b"{}", "empty": b"", "large": bytes(range(256)) * 40_000}.items():
        assert store.create(key, body, "application/octet-stream")
        assert store.get(key) == body


def test_a_second_writer_with_other_bytes_is_told_so_and_changes_nothing(store: ObjectStore) -> None:
    """Create never overwrites."""
    assert store.create("k", b"first", "text/plain")
    assert not store.create("k", b"second", "text/plain")
    assert store.get("k") == b"first"


def test_the_same_bytes_again_count_as_created(store: ObjectStore) -> None:
    """Create may be repeated after a lost reply."""
    assert store.create("k", b"same", "text/plain")
    assert store.create("k", b"same", "text/plain")


def test_of_racing_writers_one_wins(store: ObjectStore) -> None:
    """Twelve writers of one key: one is told that its bytes are there, and they are."""
    bodies = [bytes([i]) * 10_000 for i in range(12)]
    with ThreadPoolExecutor(12) as writers:
        won = list(writers.map(lambda body: store.create("race", body, "text/plain"), bodies))
    assert won.count(True) == 1
    assert store.get("race") == bodies[won.index(True)]


def test_a_missing_object_is_not_found(store: ObjectStore) -> None:
    """Absence has an error of its own, which names the key; a directory is no object."""
    store.create("dir/object", b"", "text/plain")
    for key in ("missing", "dir", "dir/object/below"):
        with pytest.raises(NotFoundError, match=key):
            store.get(key)
        assert not store.exists(key)


def test_an_object_exists_once_it_was_created(store: ObjectStore) -> None:
    """Exists sees what was just written."""
    store.create("dir/object", b"", "text/plain")
    assert store.exists("dir/object")


def test_keys_are_listed_in_the_order_of_their_characters(store: ObjectStore) -> None:
    """Not directory by directory, as some servers do."""
    names = ["p/a-x", "p/a/x", "p/a/y", "p/ab", "p/a.json", "q", "p/0000000042.json", "pq"]
    for name in names:
        store.create(name, b"", "text/plain")
    assert list(store.keys("")) == sorted(names)
    assert list(store.keys("p/")) == sorted(name for name in names if name.startswith("p/"))
    assert list(store.keys("p")) == sorted(name for name in names if name.startswith("p"))
    assert list(store.keys("none/")) == []


def test_keys_after_a_key_leave_out_that_key_and_all_before(store: ObjectStore) -> None:
    """For every place to start from, also between keys, before and after all of them."""
    names = ["p/a-x", "p/a/x", "p/a/y", "p/ab", "p/a.json", "p/10/x", "p/0000000042.json", "p/0000000043.json"]
    for name in names:
        store.create(name, b"", "text/plain")
    for start in [*names, "p/a", "p/a/", "p/1", "p", "p/", "o", "z", "p/0000000042", "p/-"]:
        assert list(store.keys("p/", start_after=start)) == sorted(name for name in names if name > start), start


def test_more_keys_than_one_page_are_all_listed(store: ObjectStore) -> None:
    """S3 lists 1000 keys at a time."""
    names = [f"many/{i:04}" for i in range(1005)]
    with ThreadPoolExecutor(8) as writers:
        assert all(writers.map(lambda name: store.create(name, b"", "text/plain"), names))
    assert list(store.keys("many/")) == names
    assert list(store.keys("many/", start_after=names[2])) == names[3:]


@pytest.mark.parametrize("key", BAD_KEYS, ids=ascii)
def test_a_key_that_could_leave_its_directory_is_refused(memory_store: ObjectStore, key: str) -> None:
    """Dot paths, empty or overlong parts, control and invisible characters; by every operation."""
    for operation in (memory_store.get, memory_store.exists, lambda key: memory_store.create(key, b"", "text/plain")):
        with pytest.raises(SpecError, match="not a valid object key"):
            operation(key)


def test_the_real_store_refuses_bad_keys_without_asking_the_server() -> None:
    """Also when there is no server."""
    from gatewright.services.store import S3Store

    store = S3Store(S3Location(endpoint_url="http://127.0.0.1:9", bucket="none"))
    for operation in (store.get, store.exists, store.keys, lambda key: store.create(key, b"", "text/plain")):
        with pytest.raises(SpecError, match="not a valid object key"):
            operation("a/../b")


@given(st.text())
def test_a_valid_key_stays_in_its_directory(key: str) -> None:
    """Whatever is accepted has no empty, dot or overlong part."""
    try:
        valid_key(key)
    except SpecError:
        return
    assert all((0 < len(part.encode()) <= 255 and part.strip(".")) or part.startswith("...") for part in key.split("/"))


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", ".a", "a b", "a" * 64, "a\n"])
def test_a_name_that_is_more_than_one_part_of_a_key_is_refused(name: str) -> None:
    """Names of models, channels, releases and records become parts of keys."""
    with pytest.raises(SpecError):
        valid_name(name)


_path = st.lists(st.text("-.0Aa", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)


@given(start=_path, key=_path)
@example(start="p-x", key="p/y")
@example(start="0000000042.json", key="0000000043.json")
def test_a_listing_hint_skips_nothing_in_either_order(start: str, key: str) -> None:
    """A key after ``start`` comes after the hint by characters and by directories, and in no directory it names."""
    hint = listing_hint("d/", f"d/{start}")
    full = f"d/{key}"
    if full > f"d/{start}":
        assert full > hint
        assert full.split("/") >= hint.split("/")
        assert not full.startswith(f"{hint}/")


def test_credentials_in_an_endpoint_are_refused() -> None:
    """The endpoint is shown in messages."""
    with pytest.raises(ValidationError, match="must not hold credentials") as caught:
        S3Location(endpoint_url="http://user:hunter2@store:9000", bucket="bucket")
    assert "hunter2" not in str(caught.value)


def test_a_location_does_not_show_its_secret() -> None:
    """Neither printed nor as a place in messages."""
    location = S3Location.model_validate({"bucket": "bucket", "secret_access_key": "hunter2", "prefix": "p/"})
    assert "hunter2" not in f"{location!r} {location} {location.where('key')}"
    assert location.where("key") == "s3 (us-east-1)/bucket/p/key"
