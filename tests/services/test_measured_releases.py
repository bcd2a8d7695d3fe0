"""Past releases are read as they were decided, or not at all."""

from pathlib import Path

import pytest

from gatewright.core.errors import IntegrityError, SpecError, StoreError
from gatewright.core.measured_release import MeasuredReleases
from gatewright.core.releases import STAGES, ReleaseState
from gatewright.services.measured_releases import PastReleases, read_measured, write_measured
from gatewright.settings import Settings
from gatewright.wiring import build
from tests.fakes import MemoryStore
from tests.services.past_releases import AUCS, SERVING, fill
from tests.services.reports.example_view import NOON
from tests.services.reports.example_view import STAGES as MEASURED


class Past:
    """The releases over one store in memory, which tests damage."""

    def __init__(self, folder: Path) -> None:
        self.records, blobs = MemoryStore(), MemoryStore()
        services = build(Settings(root=folder), blob_store=blobs, record_store=self.records, now=lambda: NOON)
        fill(services)
        self.releases = PastReleases(self.records, services.blobs, "production")

    def read(self, stages: tuple[str, ...] = STAGES) -> MeasuredReleases:
        return self.releases.of("triage", stages)

    def edit(self, key: str, old: bytes, new: bytes) -> None:
        assert old in self.records.objects[key]
        self.records.objects[key] = self.records.objects[key].replace(old, new, 1)


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path)


def test_every_decided_release_is_read_in_the_order_of_its_decision(past: Past) -> None:
    """With what it measured, what was decided, what became of it, and which one serves."""
    found = past.read().releases
    assert [one.release_id for one in found] == list(AUCS)
    assert [one.decided.outcome for one in found] == ["block", "promote", "promote"]
    assert [one.state for one in found] == [ReleaseState.BLOCKED, ReleaseState.DEPLOYED, ReleaseState.DEPLOYED]
    assert [one.release_id for one in found if one.serves] == [SERVING]
    assert [one.measurements["evaluate"][0].value for one in found] == list(AUCS.values())
    assert found[0].measurements["drift"] == MEASURED["drift"].measurements
    assert [r.rule for r in found[0].decided.missed if r.severity == "block"] == ["auc-floor"]
    assert found[0].absent == ()


def test_only_the_stages_that_are_asked_for_are_fetched(past: Past) -> None:
    """Reading is what takes the time."""
    past.records.calls.clear()
    assert set(past.read(("evaluate",)).releases[0].measurements) == {"evaluate"}
    fetched = {key.split("/")[-1] for operation, key in past.records.calls if operation == "get" and "releases/" in key}
    assert fetched == {"root.json", "opening.json", "decision.json", "evaluate.json"}


@pytest.mark.parametrize("name", ["evaluate", "decision", "opening", "root"])
def test_evidence_that_was_changed_is_not_judged(past: Past, name: str) -> None:
    """Somebody who may write to the store makes a release look better: the ledger has another digest."""
    past.edit(f"releases/triage-a/{name}.json", b"0", b"1")
    with pytest.raises(IntegrityError, match="decided on"):
        past.read()


def test_a_store_that_fails_is_an_error_and_no_shorter_list(past: Past) -> None:
    """Of many reads at once one fails: nothing is left out silently."""
    past.records.fail("get", StoreError("the store is down.", where="x", remedy="wait."), key_part="triage-b/drift")
    with pytest.raises(StoreError, match="down"):
        past.read()


def test_what_is_exported_is_what_is_read_and_names_nobody(past: Past, tmp_path: Path) -> None:
    """No person who asked, approved or wrote; no rows, no data file, no reason that somebody typed."""
    file = tmp_path / "evidence.json"
    write_measured(past.read(), file)
    assert read_measured(file) == past.read()
    text = file.read_text()
    for personal in ("dana.reyes", "kim.larsen", "requested_by", "Better for every group", "parquet", "author"):
        assert personal not in text


@pytest.mark.parametrize("path", ["missing.json", "."])
def test_a_file_that_cannot_be_read_or_written_is_one_error(past: Past, tmp_path: Path, path: str) -> None:
    """No traceback."""
    with pytest.raises(SpecError, match="cannot be read"):
        read_measured(tmp_path / path)
    with pytest.raises(SpecError, match="cannot be written"):
        write_measured(past.read(("evaluate",)), tmp_path / "missing" / "x.json")
