"""Progress is for people at a terminal, and never in the way of machines."""

import io
import sys
from pathlib import Path

import pytest

from gatewright.cli.progress import progress
from gatewright.services.batches import DataFile
from gatewright.services.onepass.table import ParquetTable
from tests.cli.test_check_command import table


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("total", "words"), [(1_000, "300 of 1,000 rows"), (None, "300 rows")])
def test_at_a_terminal_it_says_how_many_rows_are_done(
    total: int | None, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, with a name that cannot move the cursor; standard output stays the command's."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress("reading \x1b[2Jevil.parquet", total) as done:
        done(300)
    shown = screen.getvalue()
    assert words in shown
    assert "reading [2Jevil.parquet" in shown
    assert capsys.readouterr().out == ""


def test_where_nobody_watches_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """A log of a scheduled job stays short."""
    with progress("reading", 10) as done:
        done(10)
    assert capsys.readouterr() == ("", "")


def test_readers_tell_how_many_rows_they_have_read(tmp_path: Path) -> None:
    """After each batch or block, up to all rows."""
    table(1_000).to_parquet(tmp_path / "f.parquet")
    told: list[int] = []
    file = DataFile(tmp_path / "f.parquet")
    file.progress = told.append
    for _ in file.batches(["score"]):
        pass
    for _ in ParquetTable([tmp_path / "f.parquet"], block_rows=400, progress=told.append).blocks(["score"]):
        pass
    assert told == [1_000, 400, 800, 1_000]
