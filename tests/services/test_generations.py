"""The chain of generations: numbering, linking, racing, and every way to damage it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatewright.core.errors import ConflictError, DataError, IntegrityError, SpecError, StoreError
from gatewright.core.records import canonical_json, sha256_hex
from gatewright.services.generations import FIRST_PREVIOUS, Generation, GenerationLog
from gatewright.services.store import S3Location, S3Store
from tests.fakes import MemoryStore

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.fixture
def log(memory_store: MemoryStore) -> GenerationLog:
    """A log of three generations."""
    log = GenerationLog(memory_store, "log")
    for n in range(3):
        log.append({"event": n}, expected=n)
    return log


def fresh(store: MemoryStore) -> GenerationLog:
    return GenerationLog(store, "log")


def rewrite(store: MemoryStore, n: int, **changes: Any) -> None:
    key = f"log/{n:010}.json"
    store.objects[key] = canonical_json({**json.loads(store.objects[key]), **changes})


def test_an_empty_log_has_no_head(memory_store: MemoryStore) -> None:
    """Nothing was appended yet."""
    assert fresh(memory_store).head() is None
    assert fresh(memory_store).all() == []


def test_generations_are_numbered_and_each_names_the_bytes_before_it(
    memory_store: MemoryStore, log: GenerationLog
) -> None:
    """Ten digits, so that the order of the keys is the order of the numbers."""
    assert sorted(memory_store.objects) == [f"log/000000000{n}.json" for n in (1, 2, 3)]
    first, second, third = fresh(memory_store).all()
    assert (first.n, second.n, third.n) == (1, 2, 3)
    assert first.previous_sha256 == FIRST_PREVIOUS
    assert second.previous_sha256 == sha256_hex(memory_store.objects["log/0000000001.json"])
    assert third.previous_sha256 == sha256_hex(memory_store.objects["log/0000000002.json"])


def test_the_head_is_the_highest_generation_also_when_others_append(
    memory_store: MemoryStore, log: GenerationLog
) -> None:
    """A head that was seen before is only where the search begins."""
    other = fresh(memory_store)
    assert other.head() == log.head()
    newest = log.append({"event": "newest"}, expected=3)
    assert other.head() == newest == fresh(memory_store).head()


def test_a_head_that_was_seen_is_not_read_again(memory_store: MemoryStore, log: GenerationLog) -> None:
    """Generations never change, so looking for news costs one listing."""
    memory_store.calls.clear()
    log.head()
    assert [operation for operation, _ in memory_store.calls] == ["keys"]


@pytest.mark.parametrize("expected", [0, 2, 4, 100])
def test_appending_after_anything_but_the_head_is_a_conflict(
    memory_store: MemoryStore, log: GenerationLog, expected: int
) -> None:
    """Also after a number that is not there yet: a log has no gaps."""
    with pytest.raises(ConflictError, match="read the head again"):
        fresh(memory_store).append({}, expected=expected)
    assert len(fresh(memory_store).all()) == 3


def test_equal_payloads_have_different_bytes(memory_store: MemoryStore) -> None:
    """A nonce tells our own write from a rival's equal one."""
    one, other = GenerationLog(memory_store, "one"), GenerationLog(memory_store, "other")
    one.append({}, expected=0)
    other.append({}, expected=0)
    assert len(set(memory_store.objects.values())) == 2


def test_a_log_whose_name_begins_with_another_ones_is_kept_apart(memory_store: MemoryStore, log: GenerationLog) -> None:
    """``log`` and ``log2`` are different directories."""
    GenerationLog(memory_store, "log2").append({}, expected=0)
    assert len(fresh(memory_store).all()) == 3


def test_a_write_that_landed_although_it_failed_is_found_by_reading(memory_store: MemoryStore) -> None:
    """The caller is told that the outcome is unknown; trying again at the same place cannot duplicate it."""
    memory_store.fail("create", StoreError("no answer.", where="log", remedy="wait."), applied=True)
    log = fresh(memory_store)
    with pytest.raises(StoreError, match="no answer"):
        log.append({"event": 1}, expected=0)
    with pytest.raises(ConflictError):
        log.append({"event": 1}, expected=0)
    assert [generation.payload for generation in log.all()] == [{"event": 1}]


def test_changed_bytes_anywhere_break_the_chain(memory_store: MemoryStore, log: GenerationLog) -> None:
    """A payload that was edited is found by the digest in the next generation."""
    rewrite(memory_store, 2, payload={"event": "forged"})
    with pytest.raises(IntegrityError, match="digest") as caught:
        fresh(memory_store).all()
    assert caught.value.where == "log/0000000003.json"


@pytest.mark.parametrize("gone", [1, 2])
def test_a_missing_generation_breaks_the_chain(memory_store: MemoryStore, log: GenerationLog, gone: int) -> None:
    """The place of the gap is named, by the head as by the whole chain."""
    del memory_store.objects[f"log/{gone:010}.json"]
    for read in (fresh(memory_store).all, fresh(memory_store).head):
        with pytest.raises(IntegrityError) as caught:
            read()
        assert caught.value.where == f"log/{gone:010}.json"


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_log_that_became_shorter_is_noticed_by_whoever_saw_it_longer(
    memory_store: MemoryStore, log: GenerationLog, left: int
) -> None:
    """Cutting off the end leaves a chain that holds, so memory is what tells."""
    log.all()
    for n in range(left + 1, 4):
        del memory_store.objects[f"log/{n:010}.json"]
    for read in (log.head, log.all):
        with pytest.raises(IntegrityError, match="gone"):
            read()


@pytest.mark.parametrize("name", ["log/note.txt", "log/3.json", "log/0000000003.json.bak", "log/0000000004/x.json"])
def test_a_foreign_object_among_the_generations_is_an_error(
    memory_store: MemoryStore, log: GenerationLog, name: str
) -> None:
    """It is reported, never skipped."""
    memory_store.objects[name] = b"{}"
    with pytest.raises(IntegrityError, match="found in its place"):
        fresh(memory_store).head()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"junk", b"[]", b"{}", b'{"n":3}',
        b'{"n":3,"nonce":"%b","payload":{"x":NaN},"previous_sha256":"%b"}' % (b"0" * 32, b"0" * 64),
        b'{"n":3,"nonce":"%b","payload":{"x":1,"x":2},"previous_sha256":"%b"}' % (b"0" * 32, b"0" * 64),
        b'{"n":3,"nonce":"%b","payload":{"x":9007199254740993},"previous_sha256":"%b"}' % (b"0" * 32, b"0" * 64),
        b'{"n":3, "nonce":"%b","payload":{},"previous_sha256":"%b"}' % (b"0" * 32, b"0" * 64),
        b'{"n":7,"nonce":"%b","payload":{},"previous_sha256":"%b"}' % (b"0" * 32, b"0" * 64),
        b'{"extra":1,"n":3,"nonce":"%b","payload":{},"previous_sha256":"%b"}' % (b"0" * 32, b"0" * 64),
    ],
    ids=["empty", "junk", "list", "no fields", "few fields", "NaN", "duplicate key", "big number", "not canonical",
         "wrong number", "unknown field"],
)  # fmt: skip
def test_a_head_that_is_no_generation_is_an_error(memory_store: MemoryStore, log: GenerationLog, body: bytes) -> None:
    """Whatever it is that lies there, nothing is taken for a head that could not have been written by us."""
    memory_store.objects["log/0000000003.json"] = body
    with pytest.raises(IntegrityError) as caught:
        fresh(memory_store).head()
    assert caught.value.where == "log/0000000003.json"


def test_links_that_were_verified_are_not_read_again(memory_store: MemoryStore, log: GenerationLog) -> None:
    """Reading a long ledger twice costs one listing the second time."""
    log.all()
    memory_store.calls.clear()
    assert len(log.all()) == 3
    assert [operation for operation, _ in memory_store.calls] == ["keys"]


def test_a_prefix_that_leaves_its_directory_is_refused(memory_store: MemoryStore) -> None:
    """Before anything is read."""
    with pytest.raises(SpecError):
        GenerationLog(memory_store, "log/../other")


@given(payload=st.dictionaries(st.text("abc"), JSON, max_size=3))
@example(payload={"a": 1.0})
@example(payload={"a": 2.0**53})
def test_any_json_payload_comes_back_or_is_refused_before_it_is_written(payload: dict[str, Any]) -> None:
    """A generation that could not be verified would end the log for good."""
    store = MemoryStore()
    try:
        fresh(store).append(payload, expected=0)
    except DataError:
        assert any(abs(number) >= 2**53 for number in numbers(payload))
        assert store.objects == {}
        return
    head = fresh(store).head()
    assert head is not None
    assert head.payload == payload


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for one in value for number in numbers(one)]
    return [value] if isinstance(value, int | float) else []


def test_racing_appends_lose_nothing_and_duplicate_nothing(s3_location: S3Location) -> None:
    """Eight writers on the real store, each with clients of its own, until each has appended five times."""

    def write(writer: int) -> list[Generation]:
        log = GenerationLog(S3Store(s3_location), "race")
        mine: list[Generation] = []
        while len(mine) < 5:
            head = log.head()
            try:
                mine.append(log.append({"writer": writer, "i": len(mine)}, expected=head.n if head else 0))
            except ConflictError:
                continue
        return mine

    with ThreadPoolExecutor(8) as writers:
        acknowledged = [generation for mine in writers.map(write, range(8)) for generation in mine]
    stored = GenerationLog(S3Store(s3_location), "race").all()
    assert sorted(acknowledged, key=lambda generation: generation.n) == stored
    assert len(stored) == 40
