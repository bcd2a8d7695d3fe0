"""The pinned data, and what Great Expectations found in them."""

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from gatewright.core.refs import DatasetRef
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.blocks import Block, Heading, Missing, Section, Table, Text, digest, mono
from gatewright.services.reports.release_report.measures import detail, dicts, figure, unmeasured
from gatewright.services.reports.wording import NOTHING, number

__all__ = ["data"]

PARTS = ("training", "evaluation")
SEVERITIES = ("critical", "warning", "info")
LONGEST_VALUE = 120
Row = Mapping[str, JsonValue]


def data(view: ReleaseView) -> Section:
    """Files by digest, expectations by severity, and each one that did not hold; never the rows themselves."""
    blocks = [*_files(view), *_validation(view)]
    return Section("data", "Data and validation", blocks)


def _files(view: ReleaseView) -> Iterator[Block]:
    if view.data is None:
        yield Missing("The data: they were not pinned before this release ended.")
        return
    rows = [row for part in (view.data.training, view.data.evaluation) for row in _rows(part)]
    header = ("File", "Period", "Rows", "Bytes", "SHA-256")
    source = view.spec.data
    yield Text(f"Source: {source.attribution.rstrip('.')}. Licence: {source.license.rstrip('.')}.")
    yield Table("The pinned files", header, rows, frozenset({2, 3}))


def _rows(dataset: DatasetRef) -> list[tuple[str, ...]]:
    return [
        (f"{dataset.name}: {f.uri}", f.period, f"{f.rows:,}", f"{f.artifact.size:,}", digest(f.artifact.sha256))
        for f in dataset.files
    ]


def _validation(view: ReleaseView) -> Iterator[Block]:
    found = {part: summary for part in PARTS if isinstance(summary := detail(view, "validate", part), dict)}
    yield Heading("Expectations")
    if not found:
        yield from _counts_only(view)
        return
    yield Table(
        "Expectations that were evaluated, and those that failed",
        ("Data", "Suite", "Rows", "Evaluated", *(f"Failed, {severity}" for severity in SEVERITIES), "Engine"),
        [_counted(part, summary) for part, summary in found.items()],
        frozenset(range(2, 7)),
    )
    failures = [_failure(part, one) for part, summary in found.items() for one in dicts(summary.get("failures"))]
    if failures:
        header = ("Expectation", "Data", "Column", "Severity", "Asked", "Observed", "Rows", "Percent")
        yield Table("Expectations that did not hold", header, failures, frozenset({6, 7}))
    else:
        yield Text("Every expectation held.")
    yield Text(
        "Great Expectations' own Data Docs, with the rows in question, are kept in the store beside this report."
    )


def _counts_only(view: ReleaseView) -> Iterator[Block]:
    measures = [m for stage, m in view.measurements() if stage == "validate"]
    if not measures:
        yield unmeasured(view, "validate", "The validation")
        return
    rows = [(m.metric.replace("_", " ").capitalize(), m.slice, number(m.value)) for m in measures]
    yield Table("Expectations by severity", ("Counted", "Data", "Count"), rows, frozenset({2}))


def _counted(part: str, summary: Row) -> tuple[str, ...]:
    failed = summary.get("failed")
    by_severity = failed if isinstance(failed, dict) else {}
    return (
        part,
        str(summary.get("suite")),
        *(number(figure(summary, key)) for key in ("rows", "evaluated")),
        *(number(figure(by_severity, severity)) for severity in SEVERITIES),
        str(summary.get("engine")),
    )


def _failure(part: str, one: Row) -> tuple[str, ...]:
    percent = figure(one, "unexpected_percent")
    return (
        mono(one.get("expectation")),
        part,
        str(one.get("column")),
        str(one.get("severity")),
        _short(one.get("arguments")),
        str(one.get("exception") or "") or _short(one.get("observed")),
        number(figure(one, "unexpected_count")),
        NOTHING if percent is None else f"{percent:.3g}",
    )


def _short(value: JsonValue) -> str:
    if value is None:
        return NOTHING
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
