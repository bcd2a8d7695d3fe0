"""A CSV file becomes the Parquet file that pandas would have read."""

from pathlib import Path

import pandas as pd
import pytest

from gatewright.core.errors import DataError
from gatewright.services.onepass import csv_file
from gatewright.services.onepass.csv_file import to_parquet

TEXTS = {
    "numbers, text and gaps": "a,b,c\n1,x,\n2,,0.5\n",
    "dates stay text": "d,t\n2026-01-01,2026-01-01 12:00:00\n2026-01-02,2026-01-02 12:00:00\n",
    "truth": "f\ntrue\nfalse\n",
    "nothing at all": "n,m\n,1\n,2\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_types_are_those_that_pandas_finds(text: str, tmp_path: Path) -> None:
    """Empty cells are missing, dates are text."""
    source = tmp_path / "data.csv"
    source.write_text(text)
    found = pd.read_parquet(to_parquet(source, tmp_path / "data.parquet"))
    pd.testing.assert_frame_equal(found, pd.read_csv(source))


def test_a_later_value_of_another_type_widens_its_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Integers to floats, all else to text; nothing is lost."""
    monkeypatch.setattr(csv_file, "FIRST_LOOK", 64)
    source = tmp_path / "data.csv"
    source.write_text("a,b,c\n" + "1,1,\n" * 50 + "1.5,x,2\n")
    found = pd.read_parquet(to_parquet(source, tmp_path / "data.parquet"))
    assert found.iloc[-1].tolist() == [1.5, "x", 2.0]
    assert found["b"].iloc[0] == "1"
    assert len(found) == 51


@pytest.mark.parametrize("text", ["", "a,b\n1\n"])
def test_what_is_no_table_is_refused(text: str, tmp_path: Path) -> None:
    """The error names the file."""
    source = tmp_path / "bad.csv"
    source.write_text(text)
    with pytest.raises(DataError, match=r"bad\.csv"):
        to_parquet(source, tmp_path / "data.parquet")
