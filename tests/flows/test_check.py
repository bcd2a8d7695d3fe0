"""A scored dataset is checked by a flow, in shards, with the verdict of the command line."""

from pathlib import Path

import pytest
from prefect.client.orchestration import get_client

from flows.check import check
from gatewright.core.errors import SpecError
from gatewright.core.policy import default_rules
from gatewright.services.batches import DataFile
from gatewright.services.file_check import check_file
from gatewright.services.file_columns import FileColumns
from gatewright.services.reports.check_page import check_page
from tasks.check import check_scores
from tests.cli.test_check_command import table

COLUMNS = {"label": "label", "score": "score", "champion_score": "old_score"}


@pytest.fixture
def scored(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three row groups in a folder that is the root; three shards."""
    table(6_000).to_parquet(tmp_path / "scored.parquet", row_group_size=2_000)
    monkeypatch.setenv("GATEWRIGHT_ROOT", str(tmp_path))
    monkeypatch.setenv("GATEWRIGHT_SHARDS", "3")
    return tmp_path / "scored.parquet"


def test_shards_give_the_verdict_of_the_command_line(scored: Path) -> None:
    """The same page, to the last digit; the run's state says how it ended."""
    state = check(["scored.parquet"], **COLUMNS, sensitive=("sex",), return_state=True)
    assert state.name == "Passed"
    columns = FileColumns(**COLUMNS, sensitive=("sex",))
    expected = check_page(check_file(DataFile(scored), columns, default_rules()))
    with get_client(sync_client=True) as client:
        artifacts = [a for a in client.read_artifacts() if a.key == "check"]
    assert artifacts[-1].data == expected


def test_a_file_outside_the_root_is_refused(scored: Path) -> None:
    """Whoever may start a run may not read the worker's disk."""
    for path in ("../../etc/passwd", "/etc/passwd", "absent.parquet"):
        with pytest.raises(SpecError, match="under the root"):
            check_scores.fn([path], FileColumns(**COLUMNS), None)
