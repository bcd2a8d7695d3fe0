"""The report of a validated file: every expectation, what was found, and rows that did not hold, masked."""

from collections.abc import Sequence

from gatewright.services.expectations_summary import FailedExpectation, ValidationOutcome
from gatewright.services.reports.blocks import Block, Folded, Section, Table, Text
from gatewright.services.reports.expectation_words import Entry, columns_of, examples, found, stated
from gatewright.services.reports.file_report import file_report

__all__ = ["SEVERITIES", "failed_first", "sentence", "severity_of", "validation_report"]

# The weightiest first.
SEVERITIES = ("critical", "warning", "info")


def validation_report(outcome: ValidationOutcome) -> str:
    """One HTML page that needs nothing else; values of masked columns are ``***``, as everywhere."""
    summary = outcome.summary
    failed = failed_first(outcome)
    sections = [
        Section("failed", "What does not hold", _failures(failed)),
        Section("rows", "Rows that do not hold", [_rows(one) for one in summary.failures if one.sample]),
        Section("held", "What holds", [_held(outcome)]),
        Section("engine", "How it was computed", [Text(_engine(outcome))]),
    ]
    return file_report(
        "FAIL" if summary.failed["critical"] else "PASS",
        summary.dataset,
        facts=f"{summary.rows:,} rows, suite {summary.suite}",
        reasons=[sentence(outcome), *(_reason(entry) for entry in failed if severity_of(entry) == "critical")],
        otherwise="",
        sections=[section for section in sections if section.blocks],
    )


def sentence(outcome: ValidationOutcome) -> str:
    """How many expectations hold, and how many of each severity do not."""
    summary = outcome.summary
    broken = sum(summary.failed.values())
    holds = f"{summary.evaluated - broken} of {summary.evaluated} expectations hold"
    counts = ", ".join(f"{count} {severity}" for severity in SEVERITIES if (count := summary.failed.get(severity)))  # type: ignore[call-overload]
    return f"{holds}; {counts} {'does' if broken == 1 else 'do'} not." if broken else f"{holds}."


def _failed(entry: Entry) -> bool:
    """Whether it did not hold, or raised: what could not be measured never passes."""
    return entry["success"] is not True or bool(entry["exception_info"]["raised_exception"])


def failed_first(outcome: ValidationOutcome) -> list[Entry]:
    """The results that failed, the weightiest first."""
    failed = [entry for entry in outcome.result["results"] if _failed(entry)]
    return sorted(failed, key=lambda entry: (SEVERITIES.index(severity_of(entry)), columns_of(entry)))


def severity_of(entry: Entry) -> str:
    """An expectation that raised is critical, however mild it was meant to be."""
    return "critical" if entry["exception_info"]["raised_exception"] else str(entry["expectation_config"]["severity"])


def _reason(entry: Entry) -> str:
    return f"{columns_of(entry)}: expected {stated(entry)}; found {found(entry) or 'otherwise'}"


def _failures(failed: Sequence[Entry]) -> list[Block]:
    rows = [
        (
            severity_of(entry),
            columns_of(entry),
            stated(entry),
            found(entry),
            ", ".join(examples(entry)),
            str(entry["expectation_config"].get("meta", {}).get("reason", "")),
        )
        for entry in failed
    ]
    header = ("Severity", "Column", "Expected", "Found", "For example", "Why it is asked")
    return [Table(f"{len(rows)} expectations that do not hold", header, rows)] if rows else []


def _rows(failure: FailedExpectation) -> Block:
    header = tuple(failure.sample[0])
    rows = [tuple("" if row.get(key) is None else str(row[key]) for key in header) for row in failure.sample]
    words = failure.expectation.removeprefix("expect_").replace("_", " ")
    return Folded(Table(f"{failure.column or 'table'}, {words}", header, rows))


def _held(outcome: ValidationOutcome) -> Block:
    held = [entry for entry in outcome.result["results"] if not _failed(entry)]
    rows = [(columns_of(one), stated(one), severity_of(one), found(one)) for one in held]
    return Folded(Table("Expectations that hold", ("Column", "Expected", "Severity", "Found"), rows))


def _engine(outcome: ValidationOutcome) -> str:
    summary = outcome.summary
    how = "one streaming pass" if summary.engine == "onepass" else "Great Expectations on pandas"
    outside = f" Computed outside the pass: {', '.join(summary.outside)}." if summary.outside else ""
    return f"By {how}.{outside}"
