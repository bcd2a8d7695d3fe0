"""``gatewright validate``: a Great Expectations suite over one file, without Prefect and without a store."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from gatewright.cli.output import Json, Page, print_json
from gatewright.cli.progress import progress
from gatewright.cli.text_plots import bar
from gatewright.core.errors import SpecError
from gatewright.services.text_files import write_file

if TYPE_CHECKING:
    from gatewright.services.expectations_summary import ValidationOutcome
    from gatewright.services.reports.expectation_words import Entry

__all__ = ["validate"]

PASS, ERROR, BLOCKED = 0, 1, 2
# The report has more of them.
EXAMPLES = 3
# Of the severities, and of the bar of rows that do not hold.
WIDTH, BAR = 8, 12


def validate(
    data: Path,
    /,
    *,
    suite: Path,
    engine: Literal["onepass", "gx"] = "onepass",
    parameter: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    mask: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    report: Path | None = None,
    as_json: Json = False,
) -> int:
    """Validate a file with a Great Expectations suite. Exit code 0 passed, 2 a critical expectation failed, 1 error.

    Example: gatewright validate june.parquet --suite expectations/june.json --mask name --report june.html

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
    report
        Write an HTML report, one file that needs nothing else.
    """
    with _as_parquet(data) as parquet:
        outcome = _outcome(parquet, data, suite, engine, _parameters(parameter), mask)
    failed = outcome.summary.failed["critical"] > 0
    if report is not None:
        from gatewright.services.reports.validation_report import validation_report

        write_file(report, validation_report(outcome))
    if as_json:
        print_json(_document(outcome, "failed" if failed else "passed"))
    else:
        _print(outcome, failed, report or "--report FILE")
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
    table = ParquetTable([parquet])
    if engine == "onepass":
        with progress(f"validating {data.name}", table.rows) as done:
            return expectations.validate_files([parquet], suite, progress=done, **given)
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


def _print(outcome: "ValidationOutcome", failed: bool, report: Path | str) -> None:
    from gatewright.services.reports.validation_report import failed_first, sentence

    summary, page = outcome.summary, Page()
    word = "FAILED" if failed else "PASSED"
    page.line(f"{summary.dataset}, {summary.rows:,} rows", label=word, label_width=len(word) + 1)
    page.line(sentence(outcome), indent=2)
    broken = failed_first(outcome)
    if broken:
        page.heading("What does not hold")
    for entry in broken:
        _print_failure(page, entry)
    if summary.outside:
        page.line("")
        page.line(f"Metrics computed outside the one pass: {len(summary.outside)}; --json names them.")
    if broken:
        page.line("")
        words = f"correct the data at their source, or the suite where it asks too much; {report} shows the rows."
        page.line(words, label="Next", label_width=4)


def _print_failure(page: Page, entry: "Entry") -> None:
    from gatewright.services.reports.expectation_words import columns_of, examples, found, stated, unexpected_share
    from gatewright.services.reports.validation_report import severity_of

    page.line(f"{columns_of(entry)}: {stated(entry)}", label=severity_of(entry), label_width=WIDTH)
    share, shown = unexpected_share(entry), ", ".join(examples(entry)[:EXAMPLES])
    drawn = bar(share, full=1, width=BAR, plain=page.plain_plots) if share else ""
    page.line(found(entry), drawn, f"such as {shown}" if shown else "", indent=WIDTH + 1)
