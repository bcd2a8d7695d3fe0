"""Run a suite where the data are: on a database, or on Spark, through Great Expectations' own engines.

The suite is the one that runs on files. Three things are added so that its verdict means the same: types are
asked for by the names the engine gives them; the number of rows must be that of the pinned files; and an
expectation that the engine cannot answer is an error that says so, never a pass.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewright.core.errors import DataError, SpecError
from gatewright.core.refs import DatasetRef
from gatewright.core.spec import ModelSpec
from gatewright.services.blobs import BlobStore
from gatewright.services.expectations_masking import MASK, SAMPLE_ROWS, exception_of, jsonable
from gatewright.services.expectations_sources import Source, spark_source, sql_source
from gatewright.services.expectations_types import Elsewhere, types_elsewhere

__all__ = ["ElsewhereRun", "run_elsewhere", "sample_elsewhere"]

ROW_COUNT = "expect_table_row_count_to_equal"
OF_TYPE = {
    "expect_column_type_to_be": "type_",
    "expect_column_values_to_be_of_type": "type_",
    "expect_column_values_to_be_in_type_list": "type_list",
}
# Where a translated expectation keeps what the suite says.
STATED = "stated"


@dataclass(frozen=True)
class ElsewhereRun:
    """``outcome``: GX's own ExpectationSuiteValidationResult over ``rows`` rows with ``columns``.

    ``source`` says in words which engine looked at what: for SQL it was not the pinned bytes.
    """

    outcome: Any
    rows: int
    columns: tuple[str, ...]
    source: str


def run_elsewhere(
    spec: ModelSpec, dataset: DatasetRef, suite_path: Path, parameters: Mapping[str, Any], *, blobs: BlobStore
) -> ElsewhereRun:
    """Run the suite in ``suite_path`` on the engine of ``spec.validation`` (``sql`` or ``spark``).

    Rows are those of ``dataset``: for Spark its pinned files, for SQL what the tables hold for its periods. A
    row count that differs from the pinned one is a failed critical expectation.

    Raises SpecError for a suite or connection that is wrong, DataError for a source without rows, without a
    column of the spec, or that cannot be read, IntegrityError for bytes that are not the pinned ones.
    """
    engine: Elsewhere = "spark" if spec.validation.engine == "spark" else "sql"
    context = _context()
    suite = _suite(suite_path, parameters, engine, dataset)
    source = spark_source(context, spec, dataset, blobs) if engine == "spark" else sql_source(context, spec, dataset)
    try:
        outcome = source.batch.validate(
            suite, expectation_parameters=dict(parameters), result_format=_result_format(spec)
        )
    finally:
        source.close()
    if len(outcome.results) != len(suite.expectations):
        raise SpecError(
            f"Great Expectations answered {len(outcome.results)} of {len(suite.expectations)} expectations.",
            where=str(suite_path),
            remedy="look for expectations it merges or drops, and reword them.",
        )
    for one in outcome.results:
        _as_stated(one)
        _say_what_failed(one, source)
    said = f"{source.engine} validated {source.rows_are}"
    return ElsewhereRun(outcome, _rows(outcome, dataset, source), spec.columns(), said)


def sample_elsewhere(entry: Mapping[str, Any], masked: Collection[str]) -> tuple[dict[str, Any], ...]:
    """At most 20 failing rows of one raw result: their key and the columns in question, ``masked`` ones as ``***``.

    The engines give them only for expectations about single rows.
    """
    listed = entry["result"].get("partial_unexpected_index_list") or []
    return tuple(
        {str(name): MASK if name in masked else jsonable(value) for name, value in row.items()}
        for row in listed[:SAMPLE_ROWS]
    )


def _context() -> Any:
    # Read once, when the library is imported.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types import base

    memory = base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    silent = base.ProgressBarsConfig(globally=False)
    config = base.DataContextConfig(store_backend_defaults=memory, progress_bars=silent, analytics_enabled=False)
    return gx.get_context(mode="ephemeral", project_config=config)


def _suite(path: Path, parameters: Mapping[str, Any], engine: Elsewhere, dataset: DatasetRef) -> Any:
    from great_expectations import ExpectationSuite

    from gatewright.services.expectations_suite import read_suite

    suite = read_suite(path, parameters)
    configs = [_for_engine(one.configuration.to_json_dict(), engine) for one in suite.expectations]
    pinned = _row_count(dataset)
    same = {"type": ROW_COUNT, "kwargs": pinned["kwargs"]}
    stated = [{key: one[key] for key in ("type", "kwargs")} for one in configs]
    if same not in stated:
        configs.append(pinned)
    return ExpectationSuite(name=suite.name, expectations=configs)


def _row_count(dataset: DatasetRef) -> dict[str, Any]:
    reason = "what the engine looked at must have as many rows as the pinned files"
    return {
        "type": ROW_COUNT,
        "kwargs": {"value": dataset.rows},
        "severity": "critical",
        "meta": {"reason": reason},
    }


def _for_engine(config: dict[str, Any], engine: Elsewhere) -> dict[str, Any]:
    """``config``, or when it asks for types by name the same question in the words of ``engine``."""
    asked = config["kwargs"].get(OF_TYPE.get(config["type"], ""))
    names = [asked] if isinstance(asked, str) else asked
    if not isinstance(names, list):
        return config
    rest = {key: value for key, value in config["kwargs"].items() if key not in OF_TYPE.values()}
    return {
        **config,
        "type": "expect_column_values_to_be_in_type_list",
        "kwargs": {**rest, "type_list": types_elsewhere(names, engine)},
        "meta": {**(config.get("meta") or {}), STATED: {"type": config["type"], "kwargs": config["kwargs"]}},
    }


def _as_stated(one: Any) -> None:
    """Let the result carry the expectation as the suite states it; which types answered it stays in ``meta``."""
    config = one.expectation_config
    meta = dict(config.meta or {})
    stated = meta.pop(STATED, None)
    if stated is None:
        return
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    batch = {key: value for key, value in config.kwargs.items() if key == "batch_id"}
    one.expectation_config = ExpectationConfiguration(
        type=stated["type"],
        kwargs={**stated["kwargs"], **batch},
        meta={**meta, "types_of_the_engine": config.kwargs["type_list"]},
        severity=config.severity,
        description=config.description,
        notes=config.notes,
    )


def _say_what_failed(one: Any, source: Source) -> None:
    message = exception_of({"exception_info": one.exception_info})
    if message is None:
        return
    first = source.public(" ".join(message.split()))[:500]
    one.success = False
    one.exception_info = {
        "raised_exception": True,
        "exception_message": f"`{one.expectation_config.type}` could not be measured on {source.engine}: {first}",
        "exception_traceback": "",
    }


def _result_format(spec: ModelSpec) -> dict[str, Any]:
    return {"result_format": "SUMMARY", "unexpected_index_column_names": list(spec.data.key)}


def _rows(outcome: Any, dataset: DatasetRef, source: Source) -> int:
    counted = next(
        one.result.get("observed_value")
        for one in outcome.results
        if one.expectation_config.type == ROW_COUNT and one.expectation_config.kwargs.get("value") == dataset.rows
    )
    if not counted:
        raise DataError(
            f"there are no rows to validate: {source.engine} looked at {source.rows_are}.",
            where=dataset.name,
            remedy="deliver the data again, or correct `validation` of the spec.",
        )
    return int(counted)
