"""The ledger in the store."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from gatewright.core.errors import ConflictError, IntegrityError, SpecError, StoreError
from gatewright.core.ledger import LedgerEntry
from gatewright.services.generations import GenerationLog
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.store import S3Store
from tests.fakes import MemoryStore


def entry(release_id: str = "r1", note: str = "") -> LedgerEntry:
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    return LedgerEntry(kind="opened", release_id=release_id, actor="ada", at=at, digests={"model": "a" * 64}, note=note)


def test_entries_come_back_in_the_order_they_were_appended(s3_store: S3Store) -> None:
    """From the real store, with their numbers counting from 1."""
    ledger = LedgerStore(s3_store)
    appended = [entry(f"r{n}", note="ünïcode <b>") for n in range(3)]
    assert [ledger.append("tiny", one) for one in appended] == [1, 2, 3]
    assert LedgerStore(s3_store).entries("tiny") == appended


def test_a_model_without_a_ledger_has_no_entries(memory_store: MemoryStore) -> None:
    """Nothing was released yet."""
    assert LedgerStore(memory_store).entries("tiny") == []
    assert LedgerStore(memory_store).models() == []


def test_each_model_has_a_ledger_of_its_own(memory_store: MemoryStore) -> None:
    """Also when one name begins with another."""
    ledger = LedgerStore(memory_store)
    for model in ("tiny", "tiny-2", "a.b"):
        ledger.append(model, entry(model))
    assert ledger.models() == ["a.b", "tiny", "tiny-2"]
    assert [one.release_id for one in ledger.entries("tiny")] == ["tiny"]


def test_appending_at_a_place_that_is_taken_is_a_conflict(memory_store: MemoryStore) -> None:
    """What was decided on an older ledger must be decided again."""
    ledger = LedgerStore(memory_store)
    assert ledger.append_at("tiny", entry("r1"), expected=0) == 1
    with pytest.raises(ConflictError):
        LedgerStore(memory_store).append_at("tiny", entry("r2"), expected=0)
    assert [one.release_id for one in ledger.entries("tiny")] == ["r1"]


def test_racing_appends_are_all_kept(memory_store: MemoryStore) -> None:
    """Append goes on until its place is free."""

    def write(writer: int) -> list[int]:
        ledger = LedgerStore(memory_store)
        return [ledger.append("tiny", entry(f"w{writer}-{i}")) for i in range(10)]

    with ThreadPoolExecutor(8) as writers:
        numbers = sorted(number for mine in writers.map(write, range(8)) for number in mine)
    assert numbers == list(range(1, 81))
    assert len({one.release_id for one in LedgerStore(memory_store).entries("tiny")}) == 80


def test_what_is_decided_on_the_ledger_is_decided_again_when_somebody_writes_in_between(
    memory_store: MemoryStore,
) -> None:
    """The entry follows exactly the entries that it was made from."""
    asked: list[int] = []

    def count(entries: list[LedgerEntry]) -> LedgerEntry:
        asked.append(len(entries))
        if len(asked) == 1:
            LedgerStore(memory_store).append("tiny", entry("rival"))
        return entry(f"after {len(entries)}")

    assert LedgerStore(memory_store).extend("tiny", count) == 2
    assert asked == [0, 1]
    assert [one.release_id for one in LedgerStore(memory_store).entries("tiny")] == ["rival", "after 1"]


def test_nothing_is_appended_when_nothing_is_to_be_said(memory_store: MemoryStore) -> None:
    """And a refusal of the one who decides is passed on, not tried again."""
    assert LedgerStore(memory_store).extend("tiny", lambda _: None) == 0

    def refuse(_: list[LedgerEntry]) -> LedgerEntry:
        raise ConflictError("not now.", where="here", remedy="wait.")

    with pytest.raises(ConflictError, match="not now"):
        LedgerStore(memory_store).extend("tiny", refuse)
    assert LedgerStore(memory_store).entries("tiny") == []


def test_a_failed_append_is_not_hidden(memory_store: MemoryStore) -> None:
    """Only a conflict is tried again."""
    memory_store.fail("create", StoreError("no answer.", where="ledger", remedy="wait."))
    with pytest.raises(StoreError, match="no answer"):
        LedgerStore(memory_store).append("tiny", entry())
    assert LedgerStore(memory_store).entries("tiny") == []


def test_a_ledger_whose_place_is_always_taken_gives_up(
    memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an error, after many tries."""
    monkeypatch.setattr("gatewright.services.ledger_store.time.sleep", lambda _: None)
    conflict = ConflictError("taken.", where="ledger", remedy="read again.")
    memory_store.fail("create", conflict, times=10_000)
    with pytest.raises(StoreError, match="others were first"):
        LedgerStore(memory_store).append("tiny", entry())


def test_a_generation_that_holds_no_entry_is_an_error(memory_store: MemoryStore) -> None:
    """Its key is named."""
    GenerationLog(memory_store, "ledger/tiny").append({"kind": "opened"}, expected=0)
    with pytest.raises(IntegrityError, match="LedgerEntry") as caught:
        LedgerStore(memory_store).entries("tiny")
    assert caught.value.where == "ledger/tiny/0000000001.json"


@pytest.mark.parametrize("model", ["", "..", "a/b", "A"])
def test_a_bad_model_name_is_refused(memory_store: MemoryStore, model: str) -> None:
    """It would become part of a key."""
    with pytest.raises(SpecError):
        LedgerStore(memory_store).append(model, entry())


def test_the_head_is_the_length_and_the_last_digest(memory_store: MemoryStore) -> None:
    """64 zeros stand for an empty ledger; afterwards anyone can compute the digest from the stored bytes."""
    ledger = LedgerStore(memory_store)
    assert ledger.head("tiny") == (0, "0" * 64)
    ledger.append("tiny", entry())
    ledger.append("tiny", entry())
    body = memory_store.objects["ledger/tiny/0000000002.json"]
    assert ledger.head("tiny") == (2, hashlib.sha256(body).hexdigest())
