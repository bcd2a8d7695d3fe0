"""Evidence in the store."""

from datetime import UTC, datetime

import pytest

from gatewright.core.errors import ConflictError, DataError, IntegrityError, NotFoundError, SpecError, StoreError
from gatewright.core.records import sha256_hex
from gatewright.core.releases import EvidenceRoot
from gatewright.core.results import Measurement, StageEvidence
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.store import S3Store
from tests.fakes import MemoryStore

AUC = Measurement(metric="auc", value=0.85, n=100)
OTHER_AUC = Measurement(metric="auc", value=0.86, n=100)


def test_a_record_is_read_back_and_its_digest_is_that_of_its_bytes(s3_store: S3Store) -> None:
    """From the real store."""
    evidence = EvidenceStore(s3_store)
    digest = evidence.write("evaluate", "r1", AUC)
    assert evidence.read("evaluate", "r1", Measurement) == AUC
    assert digest == AUC.digest == sha256_hex(s3_store.get("releases/r1/evaluate.json"))


def test_the_same_record_may_be_written_again(memory_store: MemoryStore) -> None:
    """A stage that runs twice and finds the same leaves one record."""
    evidence = EvidenceStore(memory_store)
    assert evidence.write("evaluate", "r1", AUC) == evidence.write("evaluate", "r1", AUC)


def test_another_record_under_the_same_name_is_a_conflict(memory_store: MemoryStore) -> None:
    """Evidence is never replaced."""
    evidence = EvidenceStore(memory_store)
    evidence.write("evaluate", "r1", AUC)
    with pytest.raises(ConflictError, match="never replaced"):
        evidence.write("evaluate", "r1", OTHER_AUC)
    assert evidence.read("evaluate", "r1", Measurement) == AUC


def test_a_record_whose_digest_would_change_on_reading_is_refused(memory_store: MemoryStore) -> None:
    """Canonical JSON writes the float 1e20 as an integer that it cannot write again."""
    at = datetime(2026, 1, 2, tzinfo=UTC)
    large = StageEvidence(
        release_id="r1", stage="drift", started_at=at, finished_at=at, inputs={}, details={"sum": 1e20}
    )
    with pytest.raises(DataError, match="cannot be stored") as caught:
        EvidenceStore(memory_store).write("drift", "r1", large)
    assert caught.value.where == "releases/r1/drift.json"
    assert memory_store.objects == {}


def test_a_record_that_was_not_written_is_not_found(memory_store: MemoryStore) -> None:
    """Read says so with an error, find with None."""
    evidence = EvidenceStore(memory_store)
    with pytest.raises(NotFoundError, match=r"releases/r1/evaluate\.json"):
        evidence.read("evaluate", "r1", Measurement)
    assert evidence.find("evaluate", "r1", Measurement) is None


def test_a_store_that_fails_is_not_taken_for_missing_evidence(memory_store: MemoryStore) -> None:
    """Find returns None only when the store says that there is nothing."""
    memory_store.fail("get", StoreError("no answer.", where="releases", remedy="wait."))
    with pytest.raises(StoreError, match="no answer"):
        EvidenceStore(memory_store).find("evaluate", "r1", Measurement)


@pytest.mark.parametrize("body", [b"", b"junk", b"{}", b'{"metric":"auc","value":NaN,"n":1}'])
def test_bytes_that_are_no_such_record_are_an_error(memory_store: MemoryStore, body: bytes) -> None:
    """Also for find, which must not take them for absent."""
    memory_store.objects["releases/r1/evaluate.json"] = body
    for read in (EvidenceStore(memory_store).read, EvidenceStore(memory_store).find):
        with pytest.raises(IntegrityError, match="Measurement"):
            read("evaluate", "r1", Measurement)


def test_a_record_of_another_kind_is_an_error(memory_store: MemoryStore) -> None:
    """A name does not say what lies under it."""
    EvidenceStore(memory_store).write("evaluate", "r1", AUC)
    with pytest.raises(IntegrityError, match="EvidenceRoot"):
        EvidenceStore(memory_store).read("evaluate", "r1", EvidenceRoot)


def test_names_and_releases_are_listed(memory_store: MemoryStore) -> None:
    """Sorted; a release is not mixed up with one whose id begins with its own."""
    evidence = EvidenceStore(memory_store)
    for name, release in [("root", "r1"), ("evaluate", "r1"), ("drift", "r1-b"), ("answer-1", "r1")]:
        evidence.write(name, release, AUC)
    assert evidence.names("r1") == ["answer-1", "evaluate", "root"]
    assert evidence.names("r1", beginning="e") == ["evaluate"]
    assert evidence.names("r1", after="answer-1") == ["evaluate", "root"]
    assert evidence.names("r1", beginning="monitor-", after="monitor-2") == []
    assert evidence.names("none") == []
    assert evidence.releases() == ["r1", "r1-b"]


@pytest.mark.parametrize(("name", "release"), [("..", "r1"), ("evaluate", ".."), ("a/b", "r1"), ("", "r1")])
def test_a_bad_name_is_refused(memory_store: MemoryStore, name: str, release: str) -> None:
    """It would become part of a key."""
    with pytest.raises(SpecError):
        EvidenceStore(memory_store).write(name, release, AUC)
    assert memory_store.objects == {}
