"""``gatewright validate``: a Great Expectations suite over one file, without Prefect and without a store."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from gatewright.cli.output import Json, print_json, print_table
from gatewright.core.errors import SpecError
from gatewright.services.reports.escape import plain

if TYPE_CHECKING:
    from gatewright.services.expectations_summary import FailedExpectation, ValidationOutcome

__all__ = ["validate"]

PASS, ERROR, BLOCKED = 0, 1, 2
SEVERITIES = ("critical", "warning", "info")


def validate(
    data: Path,
    /,
    *,
    suite: Path,
    engine: Literal["onepass", "gx"] = "onepass",
    parameter: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    mask: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    as_json: Json = False,
) -> int:
    """Validate a file with a Great Expectations suite. Exit code 0 passed, 2 a critical expectation failed, 1 error.

    Parameters
    ----------
    data
        A Parquet file, or a CSV file with a header.
    suite
        The suite, as Great Expectations' JSON.
    engine
        onepass streams the file; gx loads it, for Great Expectations on pandas.
    parameter
        A value for {"$PARAMETER": name} in the suite, as name=value.
    mask
        A column whose values are not shown.
    """
    with _as_parquet(data) as parquet:
        outcome = _outcome(parquet, data, suite, engine, _parameters(parameter), mask)
    failed = outcome.summary.failed["critical"] > 0
    if as_json:
        print_json(_document(outcome, "failed" if failed else "passed"))
    else:
        _print(outcome, failed)
    return BLOCKED if failed else PASS


@contextmanager
def _as_parquet(data: Path) -> Iterator[Path]:
    if data.suffix.lower() != ".csv":
        yield data
        return
    from gatewright.services.onepass.csv_file import to_parquet

    with tempfile.TemporaryDirectory() as folder:
        yield to_parquet(data, Path(folder) / "data.parquet")


def _outcome(
    parquet: Path, data: Path, suite: Path, engine: str, parameters: dict[str, Any], mask: Sequence[str]
) -> "ValidationOutcome":
    from gatewright.services import expectations
    from gatewright.services.onepass.table import ParquetTable

    given: dict[str, Any] = {"dataset_name": data.name, "masked_columns": mask, "parameters": parameters}
    if engine == "onepass":
        return expectations.validate_files([parquet], suite, **given)
    table = ParquetTable([parquet])
    return expectations.validate(table.frame(table.names), suite, **given)


def _parameters(stated: Sequence[str]) -> dict[str, Any]:
    """Numbers, true and false as such; everything else is text."""
    found: dict[str, Any] = {}
    for one in stated:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise SpecError(
                "a parameter needs a name and a value.", where=one, remedy="write `--parameter period=1999`."
            )
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text


def _document(outcome: "ValidationOutcome", status: str) -> dict[str, Any]:
    summary = outcome.summary
    return {
        "status": status,
        "engine": summary.engine,
        "outside_the_pass": list(summary.outside),
        "rows": summary.rows,
        "failed": dict(summary.failed),
        "result": outcome.result,
    }


def _print(outcome: "ValidationOutcome", failed: bool) -> None:
    summary = outcome.summary
    broken = sum(summary.failed.values())
    print(f"{'FAILED' if failed else 'PASSED'}  {plain(summary.dataset)}  {summary.rows:,} rows")
    print(f"  {summary.evaluated - broken} of {summary.evaluated} expectations of {plain(summary.suite)} hold", end="")
    print(f"; {', '.join(f'{summary.failed[one]} {one}' for one in SEVERITIES)} do not." if broken else ".")  # type: ignore[index]
    if broken:
        print()
        ordered = sorted(summary.failures, key=lambda one: SEVERITIES.index(one.severity))
        print_table([_row(one) for one in ordered], empty="")
    if summary.outside:
        print(f"\nComputed outside the one pass: {plain(', '.join(summary.outside))}.")


def _row(failure: "FailedExpectation") -> dict[str, Any]:
    percent = failure.unexpected_percent
    return {
        "severity": failure.severity,
        "expectation": failure.expectation.removeprefix("expect_"),
        "column": failure.column,
        "observed": _short(failure.exception or failure.observed),
        "count": failure.unexpected_count,
        "percent": None if percent is None else f"{percent:.3g} %",
    }


def _short(observed: Any) -> str | None:
    if observed is None:
        return None
    text = observed if isinstance(observed, str) else json.dumps(observed, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
