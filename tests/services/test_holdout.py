"""Every release that looks at evaluation data is counted once, and none is forgotten."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gatewright.core.errors import IntegrityError, SpecError, StoreError
from gatewright.core.refs import ArtifactRef, DatasetFile, DatasetRef
from gatewright.services.holdout import HoldoutUse, HoldoutUses, content_digest
from gatewright.services.store import S3Store
from tests.fakes import MemoryStore


def data(content: str = "a", *, uri: str = "rows.parquet", name: str = "evaluation") -> DatasetRef:
    artifact = ArtifactRef(sha256=content * 64, size=1, media_type="application/octet-stream")
    return DatasetRef(name=name, files=(DatasetFile(uri=uri, period="2001", rows=10, artifact=artifact),))


def use(release_id: str) -> HoldoutUse:
    return HoldoutUse(release_id=release_id, policy_sha256="f" * 64)


def test_uses_count_from_one_and_a_release_counts_once(s3_store: S3Store) -> None:
    """In the real store; a second run of a release, in another process, keeps its number."""
    uses = HoldoutUses(s3_store)
    assert [uses.use("tiny", data(), use(name)) for name in ("r1", "r2", "r1")] == [1, 2, 1]
    assert HoldoutUses(s3_store).use("tiny", data(), use("r2")) == 2
    assert [one.release_id for one in uses.uses("tiny", data())] == ["r1", "r2"]


def test_other_data_and_other_models_have_budgets_of_their_own(memory_store: MemoryStore) -> None:
    """A new evaluation year is a new holdout."""
    uses = HoldoutUses(memory_store)
    assert uses.use("tiny", data("a"), use("r1")) == 1
    assert uses.use("tiny", data("b"), use("r2")) == 1
    assert uses.use("other", data("a"), use("r3")) == 1


def test_the_same_bytes_under_another_name_are_the_same_holdout(memory_store: MemoryStore) -> None:
    """A copy of the file does not fill the budget up again."""
    uses = HoldoutUses(memory_store)
    uses.use("tiny", data(), use("r1"))
    assert uses.use("tiny", data(uri="copy.parquet", name="fresh"), use("r2")) == 2
    assert content_digest(data("a")) != content_digest(data("b"))


def test_racing_releases_are_all_counted(memory_store: MemoryStore) -> None:
    """Eight at once get the numbers one to eight."""
    with ThreadPoolExecutor(8) as racers:
        numbers = list(racers.map(lambda n: HoldoutUses(memory_store).use("tiny", data(), use(f"r{n}")), range(8)))
    assert sorted(numbers) == list(range(1, 9))


@pytest.mark.parametrize("applied", [True, False])
def test_a_use_whose_reply_was_lost_is_counted_once(memory_store: MemoryStore, applied: bool) -> None:
    """The caller hears that nobody knows, asks again, and gets one number."""
    memory_store.fail("create", StoreError("no reply.", where="store", remedy="try again."), applied=applied)
    with pytest.raises(StoreError):
        HoldoutUses(memory_store).use("tiny", data(), use("r1"))
    assert HoldoutUses(memory_store).use("tiny", data(), use("r1")) == 1
    assert len(HoldoutUses(memory_store).uses("tiny", data())) == 1


def test_a_use_that_was_taken_back_is_noticed(memory_store: MemoryStore) -> None:
    """Deleting the first object does not refill the budget."""
    uses = HoldoutUses(memory_store)
    for name in ("r1", "r2"):
        uses.use("tiny", data(), use(name))
    del memory_store.objects[min(memory_store.objects)]
    with pytest.raises(IntegrityError):
        HoldoutUses(memory_store).use("tiny", data(), use("r3"))


def test_a_name_cannot_leave_its_directory(memory_store: MemoryStore) -> None:
    """A model is called by one visible name."""
    with pytest.raises(SpecError):
        HoldoutUses(memory_store).use("../ledger", data(), use("r1"))
