"""Validate a data frame with a Great Expectations suite, through Great Expectations itself.

An expectation that raised counts as a failed critical one: a rule that could not be measured never passes.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import JsonValue

from gatewright.core.errors import DataError, SpecError
from gatewright.core.records import Record, canonical_json
from gatewright.core.results import Measurement
from gatewright.core.spec import ModelSpec
from gatewright.services.expectations_masking import exception_of, jsonable, masked_result, sample_rows

__all__ = [
    "FailedExpectation",
    "ValidationOutcome",
    "ValidationSummary",
    "masked_columns_of",
    "validate",
    "validation_measurements",
]

ExpectationSeverity = Literal["critical", "warning", "info"]


class FailedExpectation(Record):
    """One expectation that did not hold, or that raised (``exception`` is then not empty, severity critical).

    ``unexpected_percent`` is 0 to 100 of the non-missing values; ``sample`` holds at most 20 failing rows
    with masked columns as ``***``. Table-wide expectations have no column, no counts and no sample.
    """

    expectation: str
    column: str
    severity: ExpectationSeverity
    arguments: dict[str, JsonValue]
    observed: JsonValue = None
    unexpected_count: int | None = None
    unexpected_percent: float | None = None
    exception: str = ""
    sample: tuple[dict[str, JsonValue], ...] = ()


class ValidationSummary(Record):
    """What a reader wants first: how many expectations were evaluated over how many rows, and which failed."""

    dataset: str
    suite: str
    rows: int
    evaluated: int
    failed: dict[ExpectationSeverity, int]
    failures: tuple[FailedExpectation, ...]


@dataclass(frozen=True)
class ValidationOutcome:
    """The summary, Great Expectations' whole result as JSON values (masked), and Data Docs: path -> bytes."""

    summary: ValidationSummary
    result: dict[str, Any]
    data_docs: dict[str, bytes]


def validate(
    frame: pd.DataFrame,
    suite_path: Path,
    *,
    dataset_name: str,
    masked_columns: Collection[str],
    parameters: Mapping[str, Any] | None = None,
) -> ValidationOutcome:
    """Run the suite in ``suite_path`` over ``frame``; ``parameters`` fill its ``{"$PARAMETER": name}``.

    Raises SpecError for a suite that is no suite, and DataError for a frame without rows, of which Great
    Expectations would say that all its values are as expected.
    """
    if frame.empty:
        raise DataError("there are no rows to validate.", where=dataset_name, remedy="deliver the data again.")
    rows = frame.reset_index(drop=True)
    outcome = _run(rows, suite_path, parameters or {})
    raw = [jsonable(one.to_json_dict()) for one in outcome.results]
    entries = [masked_result(entry, masked_columns) for entry in raw]
    from gatewright.services.expectations_docs import render_data_docs

    return ValidationOutcome(
        summary=_summary(rows, raw, entries, masked_columns, dataset_name, outcome.suite_name),
        result={"suite": outcome.suite_name, "dataset": dataset_name, "results": sorted(entries, key=_order)},
        data_docs=render_data_docs(outcome, entries),
    )


def validation_measurements(outcome: ValidationOutcome, slice: str = "all") -> tuple[Measurement, ...]:
    """Exact counts of one validation on ``slice`` (``training``, ``evaluation``)."""
    summary = outcome.summary
    named = {
        severity: [failure for failure in summary.failures if failure.severity == severity]
        for severity in summary.failed
    }
    counts: list[tuple[str, int, str]] = [
        ("failed_critical_expectations", summary.failed["critical"], _names(named["critical"])),
        ("failed_warning_expectations", summary.failed["warning"], _names(named["warning"])),
        ("expectations_evaluated", summary.evaluated, ""),
        ("rows", summary.rows, ""),
    ]
    return tuple(
        Measurement(metric=metric, slice=slice, value=float(count), n=summary.rows, note=note)
        for metric, count, note in counts
    )


def masked_columns_of(spec: ModelSpec) -> tuple[str, ...]:
    """Columns whose values evidence must not show: the sensitive ones, and what identifies a row's subject."""
    identifiers = [name for name in spec.data.key if name != spec.data.time_column and name not in spec.features]
    return tuple(dict.fromkeys([*(feature.column for feature in spec.sensitive), *identifiers]))


def _run(frame: pd.DataFrame, suite_path: Path, parameters: Mapping[str, Any]) -> Any:
    # Read once, when the library is imported.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types import base

    from gatewright.services.expectations_suite import read_suite

    suite = read_suite(suite_path, parameters)
    # The default configuration leaves a temporary directory behind at each run.
    memory = base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    silent = base.ProgressBarsConfig(globally=False)
    config = base.DataContextConfig(store_backend_defaults=memory, progress_bars=silent, analytics_enabled=False)
    context = gx.get_context(mode="ephemeral", project_config=config)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    # Storing a result, as a ValidationDefinition does, fails on numpy's bool under pandas 3.1.
    outcome = batch.validate(suite, expectation_parameters=dict(parameters), result_format="SUMMARY")
    if len(outcome.results) != len(suite.expectations):
        raise SpecError(
            f"Great Expectations answered {len(outcome.results)} of {len(suite.expectations)} expectations.",
            where=str(suite_path),
            remedy="look for expectations it merges or drops, and reword them.",
        )
    return outcome


def _summary(
    frame: pd.DataFrame,
    raw: Sequence[dict[str, Any]],
    entries: Sequence[dict[str, Any]],
    masked: Collection[str],
    dataset: str,
    suite: str,
) -> ValidationSummary:
    failures = [
        _failure(frame, before, entry, masked)
        for before, entry in zip(raw, entries, strict=True)
        if entry["success"] is not True or exception_of(before) is not None
    ]
    failures.sort(key=lambda failure: (failure.severity, failure.column, failure.expectation))
    failed: dict[ExpectationSeverity, int] = {"critical": 0, "warning": 0, "info": 0}
    for failure in failures:
        failed[failure.severity] += 1
    return ValidationSummary(
        dataset=dataset,
        suite=suite,
        rows=len(frame),
        evaluated=len(entries),
        failed=failed,
        failures=tuple(failures),
    )


def _failure(
    frame: pd.DataFrame, raw: dict[str, Any], entry: dict[str, Any], masked: Collection[str]
) -> FailedExpectation:
    config, result = entry["expectation_config"], entry["result"]
    raised = entry["exception_info"]["raised_exception"]
    arguments = {key: value for key, value in config["kwargs"].items() if key != "batch_id"}
    return FailedExpectation(
        expectation=config["type"],
        column=", ".join(_columns(arguments)),
        severity="critical" if raised else config["severity"],
        arguments=arguments,
        observed=result.get("observed_value"),
        unexpected_count=result.get("unexpected_count"),
        unexpected_percent=result.get("unexpected_percent"),
        exception=_exception(frame, arguments, entry["exception_info"]["exception_message"]),
        sample=sample_rows(frame, raw["result"].get("partial_unexpected_index_list") or [], masked),
    )


def _columns(arguments: Mapping[str, Any]) -> list[str]:
    names = [arguments[key] for key in ("column", "column_A", "column_B") if key in arguments]
    return names or list(arguments.get("column_list", []))


def _exception(frame: pd.DataFrame, arguments: Mapping[str, Any], message: str) -> str:
    # For some expectations on an absent column Great Expectations says `list index out of range`.
    absent = [name for name in _columns(arguments) if name not in frame.columns]
    return f"the column `{absent[0]}` is missing" if message and absent else message


def _names(failures: Sequence[FailedExpectation]) -> str:
    return "; ".join(
        f"{failure.expectation} ({failure.column or 'table'}){' raised' if failure.exception else ''}"
        for failure in failures
    )


def _order(entry: dict[str, Any]) -> tuple[str, bytes]:
    # Great Expectations' own order differs between runs.
    return entry["expectation_config"]["type"], canonical_json(entry["expectation_config"]["kwargs"])
