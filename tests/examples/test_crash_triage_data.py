"""The example's data, spec and suites agree with each other."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from examples.crash_triage.prepare import SCHEMA, main, prepare
from gatewright.core.errors import DataError
from gatewright.core.frames import clusters_of, groups_of, labels_of
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.expectations import masked_columns_of, validate

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/crash_triage"
SPEC = parse_yaml((EXAMPLE / "model.yaml").read_text(), ModelSpec, where="model.yaml")
# Rows and deaths a year of nassCDS in R's DAAG.
ROWS = {"1997": 3975, "1998": 4427, "1999": 4516, "2000": 4420, "2001": 4115, "2002": 4764}
SHARE_DEAD = {"1997": 0.0564, "1998": 0.0447, "1999": 0.0443, "2000": 0.0423, "2001": 0.0418, "2002": 0.0418}


def year(period: str) -> pd.DataFrame:
    return pd.read_parquet(EXAMPLE / SPEC.data.path.replace("{period}", period))


def failures(frame: pd.DataFrame, suite: str, period: str) -> dict[str, int]:
    outcome = validate(
        frame,
        ROOT / f"expectations/crash_triage/{suite}.json",
        dataset_name=suite,
        masked_columns=masked_columns_of(SPEC),
        parameters={"period": int(period)},
    )
    return dict(outcome.summary.failed)


@pytest.mark.parametrize("period", SPEC.data.periods)
def test_each_year_has_the_rows_and_deaths_of_the_source(period: str) -> None:
    """The counts are those of the published table."""
    frame = year(period)
    assert len(frame) == ROWS[period]
    assert labels_of(frame, SPEC).mean() == pytest.approx(SHARE_DEAD[period], abs=5e-5)
    assert set(frame["yearacc"]) == {int(period)}


@pytest.mark.parametrize("period", SPEC.data.periods)
def test_each_file_has_the_documented_schema(period: str) -> None:
    """Plain text, int64 and float64, and no metadata of the writing library."""
    assert pq.read_schema(EXAMPLE / f"data/{period}.parquet").equals(SCHEMA, check_metadata=True)


@pytest.mark.parametrize("period", SPEC.data.periods)
def test_each_year_passes_the_evaluation_suite(period: str) -> None:
    """Nothing critical and no warning in the data as published."""
    found = failures(year(period), "evaluation", period)
    assert (found["critical"], found["warning"]) == (0, 0)


@pytest.mark.parametrize("period", SPEC.data.periods[1:])
def test_the_years_before_each_period_pass_the_training_suite(period: str) -> None:
    """What a candidate for the period trains on is as expected."""
    found = failures(pd.concat([year(p) for p in SPEC.data.before(period)]), "training", period)
    assert (found["critical"], found["warning"]) == (0, 0)


def test_training_data_that_hold_the_evaluated_year_fail_their_suite() -> None:
    """Training on the year to be evaluated is found by the freshness of the time column."""
    assert failures(pd.concat([year("1997"), year("1998")]), "training", "1998")["critical"] > 0


def test_stale_training_data_fail_their_suite() -> None:
    """The last training year must be the one before the period."""
    assert failures(year("1997"), "training", "1999")["critical"] > 0


@pytest.mark.parametrize("suite", ["training", "evaluation"])
def test_each_suite_covers_every_column_with_a_type(suite: str) -> None:
    """No column of the spec is left out."""
    expectations = json.loads((ROOT / f"expectations/crash_triage/{suite}.json").read_text())["expectations"]
    assert len(expectations) >= 25
    typed = {one["kwargs"]["column"] for one in expectations if one["type"].endswith("_of_type")}
    assert typed == set(SPEC.columns())


def test_the_key_is_unique_and_the_case_alone_is_not() -> None:
    """A case names a vehicle within a year: one or two occupants."""
    frame = pd.concat([year(period) for period in SPEC.data.periods], ignore_index=True)
    assert not frame.duplicated(list(SPEC.data.key)).any()
    assert set(frame.groupby(list(SPEC.data.cluster)).size()) == {1, 2}
    clusters = clusters_of(frame, SPEC)
    assert clusters is not None
    assert len(set(clusters)) == frame.groupby(list(SPEC.data.cluster)).ngroups


def test_every_occupant_is_in_a_band_and_has_a_sex() -> None:
    """The audited groups cover the data without a rest."""
    groups = groups_of(pd.concat([year(period) for period in SPEC.data.periods]), SPEC)
    assert set(groups["sex"]) == {"f", "m"}
    assert set(groups["age_band"]) == {"16-24", "25-64", "65+"}


def test_columns_that_are_no_features_are_not_used() -> None:
    """The spec does not break its own rule, and each exclusion has a reason."""
    assert not set(SPEC.not_features) & set(SPEC.features)
    assert all(SPEC.not_features.values())
    assert set(SPEC.categorical) <= set(SPEC.features)


def as_csv(path: Path, periods: tuple[str, ...] = ("1997", "1998"), *, row_names: bool = False) -> Path:
    frame = pd.concat([year(period) for period in periods], ignore_index=True)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    frame.to_csv(path, index=row_names, na_rep="NA")
    return path


@pytest.mark.parametrize("row_names", [False, True])
def test_preparing_the_csv_again_gives_the_same_bytes(tmp_path: Path, row_names: bool) -> None:
    """Anyone can remake the files; R's row names make no difference."""
    for path in prepare(as_csv(tmp_path / "nassCDS.csv", row_names=row_names), tmp_path / "data"):
        assert path.read_bytes() == (EXAMPLE / f"data/{path.name}").read_bytes()
    assert len(list((tmp_path / "data").iterdir())) == 2


def test_a_csv_of_something_else_is_refused(tmp_path: Path) -> None:
    """The error names the file and how to export the right one."""
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="not the table nassCDS") as caught:
        prepare(tmp_path / "x.csv", tmp_path / "data")
    assert caught.value.where == str(tmp_path / "x.csv")


def test_a_csv_with_a_word_for_an_age_is_refused(tmp_path: Path) -> None:
    """A wrong value is not turned into a missing one."""
    source = as_csv(tmp_path / "nassCDS.csv", ("1997",))
    lines = source.read_text().splitlines()
    lines[1] = lines[1].replace(",26,1997,", ",young,1997,")
    source.write_text("\n".join(lines))
    with pytest.raises(DataError, match="young"):
        prepare(source, tmp_path / "data")


def test_the_command_prints_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line a file."""
    main([str(as_csv(tmp_path / "nassCDS.csv", ("1997",))), str(tmp_path / "data")])
    assert capsys.readouterr().out == f"{tmp_path / 'data/1997.parquet'}\n"


def test_the_command_runs_as_the_readme_says(tmp_path: Path) -> None:
    """`python -m examples.crash_triage.prepare CSV DIR`, from the repository."""
    source = as_csv(tmp_path / "nassCDS.csv", ("1997",))
    command = [sys.executable, "-m", "examples.crash_triage.prepare", str(source), str(tmp_path / "data")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / "data/1997.parquet").exists()
