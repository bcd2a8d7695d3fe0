"""``gatewright drift`` on files alone: verdicts, JSON, reports, stored profiles, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cyclopts import App

from gatewright.cli.drift import drift
from gatewright.core.errors import DataError, GatewrightError, SpecError

NIU = "Not in universe"
Run = Callable[..., tuple[int, Any]]


def table(rows: int, seed: int = 0, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(40 + shift, 10, rows),
            "children": rng.integers(0, 4, rows),
            "job": rng.choice(["clerk", "smith", NIU], rows, p=[0.5, 0.3, 0.2]),
            "active": rng.random(rows) < 0.6,
            "since": np.datetime64("2020-01-01") + rng.integers(0, 900, rows),
            "income": np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(10, 1, rows)),
        }
    )


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The exit code, and what was printed: as JSON when that was asked for."""
    app = App()
    app.command(drift)

    def call(reference: Path, current: Path, *arguments: object) -> tuple[int, Any]:
        words = ["drift", "--reference", str(reference), "--current", str(current), *map(str, arguments)]
        code = app(words, exit_on_error=False, result_action="return_value")
        out = capsys.readouterr().out
        return code, json.loads(out) if "--json" in arguments else out

    return call


@pytest.fixture
def then(tmp_path: Path) -> Path:
    path = tmp_path / "then.parquet"
    table(4_000).to_parquet(path)
    return path


def written(path: Path, frame: pd.DataFrame) -> Path:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


def test_data_of_the_same_source_pass(run: Run, then: Path, tmp_path: Path) -> None:
    """Exit code 0, and every column has all its distances with intervals."""
    code, found = run(then, written(tmp_path / "now.parquet", table(3_000, seed=1)), "--json")
    assert (code, found["status"]) == (0, "passed")
    kinds = {name: column["kind"] for name, column in found["columns"].items()}
    assert kinds == {
        "age": "numeric",
        "children": "numeric",
        "job": "categorical",
        "active": "boolean",
        "since": "date",
        "income": "numeric",
    }
    age = found["columns"]["age"]
    for metric in ("psi", "ks", "jensen_shannon", "wasserstein", "chi_square"):
        assert age[metric]["interval"][0] <= age[metric]["value"] <= age[metric]["interval"][1]
    assert found["columns"]["income"]["null_rate"]["reference"] == pytest.approx(0.1, abs=0.02)
    assert found["columns"]["job"]["ks"]["value"] is None
    assert (found["reference"]["rows"], found["current"]["rows"]) == (4_000, 3_000)


def test_a_drifted_file_is_blocked_and_the_worst_column_comes_first(run: Run, then: Path, tmp_path: Path) -> None:
    """One category turns 100 % "not in universe" without a null, a number shifts, a category is new."""
    frame = table(3_000, seed=2, shift=15)
    frame["job"] = NIU
    frame.loc[:900, "children"] = 9
    code, found = run(then, written(tmp_path / "now.parquet", frame), "--json")
    statuses = {name: column["status"] for name, column in found["columns"].items()}
    assert (code, found["status"]) == (2, "failed")
    assert [name for name, status in statuses.items() if status == "failed"] == list(statuses)[:3]
    assert set(list(statuses)[:3]) == {"age", "job", "children"}
    job = found["columns"]["job"]
    assert list(job["vanished_categories"]) == ["clerk", "smith"]
    assert job["vanished_categories"]["clerk"] == pytest.approx(0.5, abs=0.03)
    assert job["null_rate"] == {"reference": 0.0, "current": 0.0}
    assert job["new_categories"] == {}


def test_parquet_and_csv_give_the_same_numbers(run: Run, then: Path, tmp_path: Path) -> None:
    """Dates, booleans and nulls as well."""
    frame = table(1_000, seed=3)
    answers = []
    for name in ("now.parquet", "now.csv"):
        code, found = run(then, written(tmp_path / name, frame), "--json")
        answers.append((code, found["columns"]))
    assert answers[0] == answers[1]


def test_a_stored_profile_stands_for_its_reference(run: Run, then: Path, tmp_path: Path) -> None:
    """The same verdict and numbers when the reference's rows are gone."""
    now, stored = written(tmp_path / "now.parquet", table(1_000, seed=4, shift=3)), tmp_path / "profile.json"
    first = run(then, now, "--save-profile", stored, "--json")
    then.unlink()
    second = run(stored, now, "--json")
    assert first[1]["columns"] == second[1]["columns"]
    assert first[0] == second[0]


@pytest.mark.parametrize("side", ["reference", "current"])
def test_a_column_missing_on_one_side_is_an_error_of_that_column(
    run: Run, then: Path, tmp_path: Path, side: str
) -> None:
    """The others are compared all the same; nothing passes."""
    less, full = table(1_000, seed=5).drop(columns="job"), table(1_000, seed=5)
    files = [written(tmp_path / f"{n}.parquet", f) for n, f in (("a", less), ("b", full))]
    code, found = run(*(files if side == "reference" else files[::-1]), "--json")
    assert (code, found["status"], found["columns"]["job"]["status"]) == (2, "error", "error")
    assert side in found["columns"]["job"]["reason"]
    assert found["columns"]["age"]["status"] == "passed"
    assert found["columns"]["job"]["psi"]["value"] is None


def test_another_type_is_an_error_of_that_column(run: Run, then: Path, tmp_path: Path) -> None:
    """Numbers that became text cannot be compared; a boolean stored as 0 and 1 can."""
    frame = table(1_000, seed=6)
    frame["age"] = frame["age"].map("{:.0f} years".format)
    frame["active"] = frame["active"].astype(int)
    code, found = run(then, written(tmp_path / "now.parquet", frame), "--json")
    assert (code, found["columns"]["age"]["status"]) == (2, "error")
    assert found["columns"]["age"]["reason"] == "the reference holds numbers, the current data hold large_string"
    assert found["columns"]["active"]["status"] == "passed"


def test_only_the_named_columns_are_compared(run: Run, then: Path, tmp_path: Path) -> None:
    """Separated by spaces or commas; another column may drift as it likes."""
    now = written(tmp_path / "now.parquet", table(2_000, seed=7, shift=30))
    for names in (["children", "job"], ["children,job"]):
        code, found = run(then, now, "--columns", *names, "--json")
        assert (code, set(found["columns"])) == (0, {"children", "job"})


def test_limits_are_options(run: Run, then: Path, tmp_path: Path) -> None:
    """A shift that the default allows is stopped by a stricter limit of another distance."""
    now = written(tmp_path / "now.parquet", table(4_000, seed=8, shift=2))
    assert run(then, now)[0] == 0
    assert run(then, now, "--ks", 0.02)[0] == 2
    assert run(then, now, "--minimum-rows", 5_000)[0] == 2


def test_codes_can_be_compared_as_categories(run: Run, then: Path, tmp_path: Path) -> None:
    """A new code is named."""
    frame = table(2_000, seed=9)
    frame.loc[:500, "children"] = 7
    now = written(tmp_path / "now.parquet", frame)
    _, found = run(then, now, "--categorical", "children", "--json")
    assert found["columns"]["children"]["kind"] == "categorical"
    assert list(found["columns"]["children"]["new_categories"]) == ["7"]


def test_a_month_is_compared_with_the_same_month(run: Run, tmp_path: Path) -> None:
    """Summer drifts from the whole year, not from the last summer; the answer says which was compared."""
    rng = np.random.default_rng(10)
    days = np.datetime64("2024-01-01") + rng.integers(0, 366, 8_000)
    summer = np.datetime64("2025-07-01") + rng.integers(0, 31, 1_500)
    files = []
    for name, times in (("then", days), ("now", summer)):
        month = times.astype("datetime64[M]").astype(int) % 12
        frame = pd.DataFrame({"day": times.astype("datetime64[ms]"), "heat": rng.normal(month * 2, 3)})
        files.append(written(tmp_path / f"{name}.parquet", frame))
    code, found = run(*files, "--time-column", "day", "--json")
    assert (code, found["reference"]["window"], list(found["columns"])) == (0, "the reference's July", ["heat"])
    code, found = run(*files, "--columns", "heat", "--json")
    assert (code, found["reference"]["window"]) == (2, "all of the reference")


def test_the_table_names_each_column_with_its_verdict(run: Run, then: Path, tmp_path: Path) -> None:
    """Hostile names cannot move the cursor or be taken for markup."""
    names = {"age": "\x1b[2J[red]age[/red]"}
    first = written(tmp_path / "a.parquet", table(1_000).rename(columns=names))
    second = written(tmp_path / "b.parquet", table(1_000, seed=1, shift=20).rename(columns=names))
    code, out = run(first, second)
    assert code == 2
    assert out.startswith("FAIL  1,000 reference rows")
    assert "\x1b" not in out
    assert "[2J[red]age[/red]" in out
    line = next(line for line in out.splitlines() if line.startswith("FAIL         [2J"))
    assert line.split()[2:4] == ["4.235", "████████"]
    assert "psi: 4.137 is not at most 0.25" in out.splitlines()[1]


def test_where_blocks_cannot_be_drawn_ascii_takes_their_place(
    run: Run, then: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old terminal shows numbers and bars too."""
    monkeypatch.setattr("gatewright.cli.output.draws_blocks", lambda stream: False)
    now = written(tmp_path / "now.parquet", table(1_000, seed=1, shift=20))
    _, out = run(then, now)
    line = next(line for line in out.splitlines() if line.startswith("FAIL         age"))
    assert line.isascii()
    assert "########" in line


def test_the_report_is_one_escaped_file_with_both_histograms(run: Run, then: Path, tmp_path: Path) -> None:
    """No address is loaded, names from the data are text, each column has a drawing."""
    hostile = "<script>alert(1)</script>"
    frame = table(1_000, seed=11)
    frame.loc[:300, "job"] = hostile
    page = tmp_path / "report.html"
    _, out = run(then, written(tmp_path / "now.parquet", frame.assign(empty=np.nan)), "--report", page)
    assert f"retrain. {page} draws both." in out
    html = page.read_text()
    assert html.count("<svg") == 6
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "http:" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "2020-" in html


def test_memory_and_numbers_do_not_depend_on_how_a_file_is_cut(run: Run, tmp_path: Path) -> None:
    """Row groups of 700 rows and one of 200,000 give the same answer, above the size of the sample too."""
    frame, now = table(200_000, seed=12)[["age", "job"]], table(5_000, seed=13)[["age", "job"]]
    answers = []
    for n, size in enumerate((700, 200_000)):
        path = tmp_path / f"{n}.parquet"
        pq.write_table(pa.Table.from_pandas(frame), path, row_group_size=size)
        stored = tmp_path / f"{n}.json"
        run(path, written(tmp_path / "now.parquet", now), "--save-profile", stored)
        answers.append(stored.read_bytes())
    assert answers[0] == answers[1]


def test_an_empty_current_file_is_not_a_pass(run: Run, then: Path, tmp_path: Path) -> None:
    """A header without rows: every column is inconclusive."""
    code, found = run(then, written(tmp_path / "now.parquet", table(0)), "--json")
    assert (code, found["status"]) == (2, "inconclusive")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--columns", "agee"], "did you mean `age`"),
        (["--alpha", "0.7"], "alpha is 0.7"),
        (["--categorical", "nope"], "`nope` is missing"),
        (["--time-column", "nope"], "`nope` is missing"),
        (["--time-column", "job"], "not dates"),
        (["--save-profile", "/nowhere/p.json"], "cannot be written"),
    ],
)
def test_a_wrong_call_is_an_error(run: Run, then: Path, tmp_path: Path, arguments: list[str], error: str) -> None:
    """With the remedy, before anything is judged."""
    with pytest.raises(GatewrightError, match=error):
        run(then, written(tmp_path / "now.parquet", table(500)), *arguments)


@pytest.mark.parametrize("content", [None, b"", b"not parquet"])
def test_an_unreadable_file_is_an_error(run: Run, then: Path, tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, of another kind; on either side, or as a profile."""
    for name in ("x.parquet", "x.json"):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match=str(path)):
            run(path, then)
    with pytest.raises(DataError):
        run(then, tmp_path / "x.parquet")


def test_the_kinds_of_a_stored_profile_are_fixed(run: Run, then: Path, tmp_path: Path) -> None:
    """Asking for others is refused, not ignored."""
    stored = tmp_path / "p.json"
    run(then, then, "--save-profile", stored)
    with pytest.raises(SpecError, match="fixed"):
        run(stored, then, "--categorical", "children")


@pytest.mark.parametrize("limit", ["nan", "inf", "-0.1"])
@pytest.mark.parametrize("name", ["--psi", "--null-rate", "--ks"])
def test_a_limit_that_cannot_be_kept_or_broken_is_refused(run: Run, then: Path, name: str, limit: str) -> None:
    """Nothing is above NaN and nothing above infinity: both would switch the limit off."""
    with pytest.raises(SpecError, match="a limit of"):
        run(then, then, name, limit)


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1.7e308])
@pytest.mark.filterwarnings("error")
def test_the_smallest_and_largest_floats_are_compared_and_drawn(run: Run, tmp_path: Path, scale: float) -> None:
    """Neither slopes between neighbouring floats nor widths beyond the largest float end a comparison."""
    values = np.random.default_rng(0).uniform(-1, 1, 1_000)
    file = written(tmp_path / "f.parquet", pd.DataFrame({"x": np.where(np.abs(values) > 0.9, 1, values) * scale}))
    ends = written(tmp_path / "ends.parquet", pd.DataFrame({"x": np.sign(values) * scale}))
    for current in (file, ends):
        code, _ = run(file, current, "--report", tmp_path / "d.html")
        assert code in (0, 2)
        assert "nan" not in (tmp_path / "d.html").read_text()
        _, found = run(ends, current, "--json")
        assert found["columns"]["x"]["ks"]["value"] is not None
