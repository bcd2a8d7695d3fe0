"""The same suite gives the same verdict on files, on a database and on Spark; what cannot be asked is an error."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gatewright.core.errors import DataError, GatewrightError, IntegrityError, SpecError
from gatewright.core.refs import DatasetFile, DatasetRef
from gatewright.core.spec import DataSource, ModelSpec, Validation
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.blobs import BlobStore
from gatewright.services.datasets import PARQUET
from gatewright.services.expectations import masked_columns_of, validate, validate_elsewhere
from gatewright.services.expectations_elsewhere import ElsewhereRun, run_elsewhere, sample_elsewhere
from gatewright.services.expectations_masking import MASK, jsonable
from tests.fakes import MemoryStore
from tests.services.expectations_gallery import GALLERY, rows

ROOT = Path(__file__).parents[2]
CRASHES = parse_yaml((ROOT / "examples/crash_triage/model.yaml").read_text(), ModelSpec, where="model.yaml")
SQL = Validation(engine="sql", connection="env:GATEWRIGHT_TEST_DATABASE", table="crashes_{period}")
SPARK = Validation(engine="spark")
SECRET = "pa55w0rd"


class Place:
    """Periods of rows, both pinned as files and written to a database."""

    def __init__(self, path: Path) -> None:
        self.database = path / "rows.db"
        self.path = path
        self.blobs = BlobStore(MemoryStore(), path / "cache")

    def put(self, frames: dict[str, pd.DataFrame]) -> DatasetRef:
        """Pin one file for each period, and write the tables `crashes_<period>` and `crashes`."""
        files = []
        for period, frame in frames.items():
            file = self.path / f"{period}.parquet"
            frame.to_parquet(file)
            artifact = self.blobs.put(file.read_bytes(), PARQUET)
            files.append(DatasetFile(uri=file.name, period=period, rows=len(frame), artifact=artifact))
        with closing(sqlite3.connect(self.database)) as connection:
            for period, frame in frames.items():
                frame.to_sql(f"crashes_{period}", connection, index=False, if_exists="replace")
            pd.concat(frames.values()).to_sql("crashes", connection, index=False, if_exists="replace")
        return DatasetRef(name="rows", files=tuple(files))

    def execute(self, statement: str) -> None:
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute(statement)
            connection.commit()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    here = Place(tmp_path)
    monkeypatch.setenv("GATEWRIGHT_TEST_DATABASE", f"sqlite:///{here.database}")
    return here


@pytest.fixture(scope="module")
def spark() -> Iterator[None]:
    """One small session in this process, on loopback: 8,000 rows need no cluster and no compiled queries."""
    from pyspark.sql import SparkSession

    small = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    session = SparkSession.builder.master("local[1]").config(map=small).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield
    session.stop()


def years(*periods: str) -> dict[str, pd.DataFrame]:
    return {period: pd.read_parquet(ROOT / f"examples/crash_triage/data/{period}.parquet") for period in periods}


def broken_year() -> pd.DataFrame:
    """1999 with a fault of each sort: category, gap, NaN, range, future, identifier, double, mean."""
    frame = years("1999")["1999"]
    frame.loc[[3, 7], "dvcat"] = "warp"
    frame.loc[[4], "seatbelt"] = None
    frame.loc[[5], "weight"] = float("nan")
    frame.loc[[6], "yearVeh"] = 2001.0
    frame.loc[[8], "caseid"] = "x"
    frame.loc[[9], "weight"] = -1.0
    frame.loc[:900, "ageOFocc"] = 7
    return pd.concat([frame, frame.iloc[:1]], ignore_index=True)


def on(engine: Validation, spec: ModelSpec = CRASHES) -> ModelSpec:
    return spec.model_copy(update={"validation": engine})


def run(place: Place, engine: Validation, data: DatasetRef, suite: str | Path) -> ElsewhereRun:
    path = suite if isinstance(suite, Path) else ROOT / CRASHES.suites[suite]  # type: ignore[index]
    return run_elsewhere(on(engine), data, path, {"period": 1999}, blobs=place.blobs)


def entries(done: ElsewhereRun) -> list[dict[str, Any]]:
    return [jsonable(one.to_json_dict()) for one in done.outcome.results]


def verdicts(results: list[dict[str, Any]]) -> dict[str, bool]:
    stated = {}
    for one in results:
        kwargs = {key: value for key, value in one["expectation_config"]["kwargs"].items() if key != "batch_id"}
        stated[json.dumps([one["expectation_config"]["type"], kwargs], sort_keys=True)] = one["success"] is True
    return stated


def on_pandas(frame: pd.DataFrame, suite: str) -> dict[str, bool]:
    outcome = validate(
        frame[list(CRASHES.columns())],
        ROOT / CRASHES.suites[suite],  # type: ignore[index]
        dataset_name="rows",
        masked_columns=(),
        parameters={"period": 1999},
    )
    return verdicts(outcome.result["results"])


ROWS_COUNTED = '["expect_table_row_count_to_equal", {"value": %d}]'


def test_the_suites_give_the_same_verdicts_on_a_database(place: Place) -> None:
    """Every expectation of both suites, and one more: as many rows as were pinned."""
    for suite, periods in {"training": ("1997", "1998"), "evaluation": ("1999",)}.items():
        data = place.put(years(*periods))
        expected = on_pandas(pd.concat(years(*periods).values(), ignore_index=True), suite)
        assert verdicts(entries(run(place, SQL, data, suite))) == expected | {ROWS_COUNTED % data.rows: True}


@pytest.mark.parametrize("engine", [SQL, SPARK], ids=["sql", "spark"])
def test_broken_data_fail_the_same_expectations_everywhere(engine: Validation, place: Place, spark: None) -> None:
    """Seven kinds of fault and one row twice, all at once."""
    data = place.put({"1999": broken_year()})
    expected = on_pandas(broken_year(), "evaluation")
    assert sum(not held for held in expected.values()) >= 9
    assert verdicts(entries(run(place, engine, data, "evaluation"))) == expected | {ROWS_COUNTED % data.rows: True}


def test_spark_reads_several_pinned_files_as_one_dataset(place: Place, spark: None, tmp_path: Path) -> None:
    """What it counts are the rows of all files, and their least and largest year."""
    data = place.put(years("1997", "1998"))
    year = {"column": "yearacc", "min_value": 1997, "max_value": 1997}
    suite = suite_of(
        tmp_path, {"type": "expect_column_min_to_be_between", "kwargs": year}, of_type("weight", "float64")
    )
    done = run(place, SPARK, data, suite)
    assert done.rows == data.rows == 8402
    assert done.source == "Spark validated the pinned files"
    assert done.outcome.success


def test_spark_refuses_bytes_that_are_not_the_pinned_ones(place: Place) -> None:
    """The files are hashed before they are read."""
    data = place.put(years("1999"))
    wrong = data.files[0].artifact.model_copy(update={"size": 1})
    data = data.model_copy(update={"files": (data.files[0].model_copy(update={"artifact": wrong}),)})
    with pytest.raises(IntegrityError):
        run(place, SPARK, data, "evaluation")


def suite_of(path: Path, *expectations: dict[str, Any]) -> Path:
    file = path / "suite.json"
    stated = [{"severity": "critical", **one} for one in expectations]
    file.write_text(json.dumps({"name": "small", "expectations": stated}))
    return file


def of_type(column: str, type_: str) -> dict[str, Any]:
    return {"type": "expect_column_values_to_be_of_type", "kwargs": {"column": column, "type_": type_}}


def test_a_table_with_other_rows_than_the_pinned_files_fails(place: Place, tmp_path: Path) -> None:
    """The table is not the file: a row more, and the critical expectation of the row count fails."""
    data = place.put(years("1999"))
    place.execute("INSERT INTO crashes_1999 SELECT * FROM crashes_1999 LIMIT 1")
    done = run(place, SQL, data, suite_of(tmp_path, of_type("sex", "str")))
    failed = [one for one in done.outcome.results if not one.success]
    assert [one.expectation_config.type for one in failed] == ["expect_table_row_count_to_equal"]
    assert failed[0].expectation_config.severity.value == "critical"
    assert done.rows == data.rows + 1


def test_the_evidence_says_that_a_table_was_validated(place: Place, tmp_path: Path) -> None:
    """A reader must not take it for the pinned bytes."""
    done = run(place, SQL, place.put(years("1999")), suite_of(tmp_path, of_type("sex", "str")))
    assert done.source == "SQL (sqlite) validated the rows of `crashes_1999` as they were then, not the pinned files"


def test_a_table_of_all_periods_is_read_by_its_time_column(place: Place, tmp_path: Path) -> None:
    """Only the rows of the dataset's periods are counted."""
    place.put(years("1997", "1998", "1999"))
    data = place.put(years("1997", "1999"))
    place.put(years("1997", "1998", "1999"))
    one = SQL.model_copy(update={"table": "crashes"})
    assert run(place, one, data, suite_of(tmp_path, of_type("sex", "str"))).rows == data.rows


def test_a_type_is_asked_for_by_the_engines_own_name(place: Place, tmp_path: Path) -> None:
    """`int64` is an INTEGER of SQLite; the result still states what the suite states."""
    suite = suite_of(tmp_path, of_type("frontal", "int64"), of_type("weight", "int64"))
    results = run(place, SQL, place.put(years("1999")), suite).outcome.results
    found = {one.expectation_config.kwargs.get("column"): one for one in results}
    assert found["frontal"].success
    assert not found["weight"].success
    assert found["weight"].expectation_config.type == "expect_column_values_to_be_of_type"
    assert found["weight"].expectation_config.kwargs["type_"] == "int64"
    assert found["weight"].result["observed_value"] == "REAL"


def gallery(path: Path) -> Path:
    stated = [
        {"type": f"expect_{name}", "kwargs": kwargs, "meta": {"holds": holds}}
        for name, both in GALLERY.items()
        for holds, kwargs in zip((True, False), both, strict=True)
    ]
    return suite_of(path, *stated)


def gallery_spec() -> ModelSpec:
    columns = tuple(rows().columns)
    data = {"key": ("period", "key"), "cluster": (), "time_column": "period"}
    changes = {
        "features": columns[:-2],
        "target": CRASHES.target.model_copy(update={"column": "period"}),
        "sensitive": (),
        "slices": None,
        "perturbations": (),
        "monotonicity": (),
        "invariances": (),
        "not_features": {"period": "time", "key": "identity"},
        "data": DataSource.model_validate(CRASHES.data.model_dump() | data),
    }
    return CRASHES.model_copy(update=changes)


# What Great Expectations has no SQL for.
NOT_IN_SQL = {
    "column_values_to_be_dateutil_parseable",
    "column_values_to_be_decreasing",
    "column_values_to_be_increasing",
    "column_values_to_be_json_parseable",
    "column_values_to_match_json_schema",
    "column_values_to_match_strftime_format",
}


def test_no_expectation_passes_on_a_database_that_does_not_hold(place: Place, tmp_path: Path) -> None:
    """Each of the gallery holds, fails, or is an error that names it and the engine."""
    data = place.put({"2000": rows()})
    spec = on(SQL, gallery_spec())
    done = run_elsewhere(spec, data, gallery(tmp_path), {}, blobs=place.blobs)
    unanswered = set()
    for one in entries(done):
        config, message = one["expectation_config"], one["exception_info"]["exception_message"]
        name = config["type"].removeprefix("expect_")
        if message:
            unanswered.add(name)
            assert not one["success"]
            assert message.startswith(f"`expect_{name}` could not be measured on SQL (sqlite): ")
        else:
            assert one["success"] is config["meta"].get("holds", True), name
    assert unanswered == NOT_IN_SQL


def test_failing_rows_are_shown_by_their_key_without_masked_values(place: Place) -> None:
    """The sample names the row and the column in question, and hides who it was."""
    data = place.put({"1999": broken_year()})
    known = {"column": "dvcat", "value_set": sorted({*years("1999")["1999"]["dvcat"]})}
    suite = suite_of(place.path, {"type": "expect_column_values_to_be_in_set", "kwargs": known})
    failed = next(one for one in entries(run(place, SQL, data, suite)) if not one["success"])
    roles = broken_year()["occRole"].iloc[[3, 7]]
    expected = [{"yearacc": 1999, "caseid": MASK, "occRole": role, "dvcat": "warp"} for role in roles]
    shown = sample_elsewhere(failed, masked_columns_of(CRASHES))
    assert sorted(shown, key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "is not set"),
        (f"no address {SECRET}", "not a SQLAlchemy URL"),
        (f"sqlite://somebody:{SECRET}@host/rows.db", "cannot be read"),
        (f"postgresql+nodriver://somebody:{SECRET}@127.0.0.1:1/rows", "cannot be read"),
        (f"sqlite:////nowhere/{SECRET}/rows.db", "cannot be read"),
        (f"mysql+nodriver://127.0.0.1/rows?password={SECRET}", "cannot be read"),
    ],
)
def test_an_address_that_does_not_work_is_not_shown(
    address: str, problem: str, place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the error, nor what it hides, nor any log holds the password."""
    data = place.put(years("1999"))
    monkeypatch.setenv("GATEWRIGHT_TEST_DATABASE", address)
    with caplog.at_level(logging.DEBUG), pytest.raises(GatewrightError, match=problem) as caught:
        run(place, SQL, data, "evaluation")
    assert SECRET not in repr(caught.value)
    assert SECRET not in caplog.text
    assert caught.value.__context__ is None


def test_a_variable_inside_an_address_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes a spec would have a secret of the worker sent to a database of theirs."""
    monkeypatch.setenv("GATEWRIGHT_TEST_SECRET", SECRET)
    sends = SQL.model_copy(update={"connection": "postgresql://evil.example/${GATEWRIGHT_TEST_SECRET}"})
    with pytest.raises(SpecError, match=r"a `\$` stands in the URL"):
        run(place, sends, place.put(years("1999")), "evaluation")


def test_a_password_in_the_spec_is_refused_without_being_shown(place: Place) -> None:
    """The spec is committed, its secrets must not be."""
    open_ = SQL.model_copy(update={"connection": f"postgresql://somebody:{SECRET}@host/rows"})
    with pytest.raises(SpecError, match="a password stands in the spec") as caught:
        run(place, open_, place.put(years("1999")), "evaluation")
    assert SECRET not in repr(caught.value)


def test_the_address_of_the_database_is_nowhere_in_the_evidence(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even in the messages of expectations that raised, nor in a log."""
    data = place.put(years("1999"))
    hidden = place.path / SECRET
    hidden.mkdir()
    place.database.rename(hidden / "rows.db")
    monkeypatch.setenv("GATEWRIGHT_TEST_DATABASE", f"sqlite:///{hidden}/rows.db")
    regex = {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "sex", "regex": "("}}
    suite, masked = suite_of(place.path, regex), masked_columns_of(CRASHES)
    with caplog.at_level(logging.DEBUG):
        done = validate_elsewhere(on(SQL), data, suite, masked_columns=masked, parameters={}, blobs=place.blobs)
    assert done.summary.failures[0].exception
    assert done.summary.engine.endswith("not the pinned files")
    pages = [page.decode() for page in done.data_docs.values()]
    assert SECRET not in "".join([json.dumps(done.result), done.summary.model_dump_json(), *pages])
    assert SECRET not in caplog.text


def test_a_table_or_column_that_is_not_there_is_named(place: Place) -> None:
    """The owner of the data sees what to correct."""
    data = place.put(years("1999"))
    with pytest.raises(DataError, match="there is no table `other_1999`"):
        run(place, SQL.model_copy(update={"table": "other_{period}"}), data, "evaluation")
    place.execute("ALTER TABLE crashes_1999 DROP COLUMN sex")
    with pytest.raises(DataError, match="the column `sex` is missing"):
        run(place, SQL, data, "evaluation")


def test_a_table_without_rows_is_refused(place: Place) -> None:
    """Great Expectations would say that all of its values are as expected."""
    data = place.put(years("1999"))
    place.execute("DELETE FROM crashes_1999")
    with pytest.raises(DataError, match="there are no rows to validate"):
        run(place, SQL, data, "evaluation")
