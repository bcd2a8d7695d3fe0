"""What a reader wants of a validation first: which expectations failed, how badly, and on which rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import JsonValue

from gatewright.core.records import Record, canonical_json
from gatewright.services.expectations_masking import exception_of, jsonable, masked_result

__all__ = ["FailedExpectation", "Run", "ValidationOutcome", "ValidationSummary", "outcome_of"]

ExpectationSeverity = Literal["critical", "warning", "info"]
Samples = Sequence[tuple[dict[str, Any], ...]]


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
    """What a reader wants first: how many expectations were evaluated over how many rows, and which failed.

    ``engine`` says what answered; ``outside`` names the metrics that Great Expectations computed itself, on
    columns loaded for them, where the one pass could not.
    """

    dataset: str
    suite: str
    rows: int
    engine: str = "pandas"
    outside: tuple[str, ...] = ()
    evaluated: int
    failed: dict[ExpectationSeverity, int]
    failures: tuple[FailedExpectation, ...]


@dataclass(frozen=True)
class ValidationOutcome:
    """The summary, Great Expectations' whole result as JSON values (masked), and Data Docs: path -> bytes."""

    summary: ValidationSummary
    result: dict[str, Any]
    data_docs: dict[str, bytes]


@dataclass(frozen=True)
class Run:
    """Great Expectations' ``outcome`` (an ExpectationSuiteValidationResult) over ``rows`` rows with ``columns``.

    ``sample`` gives, for raw results in their order, the failing rows to show, masked.
    """

    outcome: Any
    rows: int
    columns: Collection[str]
    sample: Callable[[Sequence[Mapping[str, Any]]], Samples]
    engine: str
    outside: tuple[str, ...] = ()


def outcome_of(run: Run, *, dataset: str, masked: Collection[str]) -> ValidationOutcome:
    """Summary, masked result and Data Docs of one run."""
    from gatewright.services.expectations_docs import render_data_docs

    raw = [jsonable(one.to_json_dict()) for one in run.outcome.results]
    entries = [masked_result(entry, masked) for entry in raw]
    result = {
        "suite": run.outcome.suite_name,
        "dataset": dataset,
        "engine": run.engine,
        "outside_the_pass": list(run.outside),
        "results": sorted(entries, key=_order),
    }
    summary = _summary(run, raw, entries, dataset)
    return ValidationOutcome(summary, result, render_data_docs(run.outcome, entries))


def _summary(
    run: Run, raw: Sequence[dict[str, Any]], entries: Sequence[dict[str, Any]], dataset: str
) -> ValidationSummary:
    failed = [n for n, entry in enumerate(entries) if entry["success"] is not True or exception_of(raw[n]) is not None]
    samples = run.sample([raw[n] for n in failed])
    failures = [_failure(run, entries[n], sample) for n, sample in zip(failed, samples, strict=True)]
    failures.sort(key=lambda failure: (failure.severity, failure.column, failure.expectation))
    counts: dict[ExpectationSeverity, int] = {"critical": 0, "warning": 0, "info": 0}
    for failure in failures:
        counts[failure.severity] += 1
    return ValidationSummary(
        dataset=dataset,
        suite=run.outcome.suite_name,
        rows=run.rows,
        engine=run.engine,
        outside=run.outside,
        evaluated=len(entries),
        failed=counts,
        failures=tuple(failures),
    )


def _failure(run: Run, entry: dict[str, Any], sample: tuple[dict[str, Any], ...]) -> FailedExpectation:
    config, result = entry["expectation_config"], entry["result"]
    raised = entry["exception_info"]["raised_exception"]
    arguments = config["kwargs"]
    return FailedExpectation(
        expectation=config["type"],
        column=", ".join(_columns(arguments)),
        severity="critical" if raised else config["severity"],
        arguments=arguments,
        observed=result.get("observed_value"),
        unexpected_count=result.get("unexpected_count"),
        unexpected_percent=result.get("unexpected_percent"),
        exception=_exception(run.columns, arguments, entry["exception_info"]["exception_message"]),
        sample=sample,
    )


def _columns(arguments: Mapping[str, Any]) -> list[str]:
    names = [arguments[key] for key in ("column", "column_A", "column_B") if key in arguments]
    return names or list(arguments.get("column_list", []))


def _exception(columns: Collection[str], arguments: Mapping[str, Any], message: str) -> str:
    # For some expectations on an absent column Great Expectations says `list index out of range`.
    absent = [name for name in _columns(arguments) if name not in columns]
    return f"the column `{absent[0]}` is missing" if message and absent else message


def _order(entry: dict[str, Any]) -> tuple[str, bytes]:
    # Great Expectations' own order differs between runs.
    return entry["expectation_config"]["type"], canonical_json(entry["expectation_config"]["kwargs"])
