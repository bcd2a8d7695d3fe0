"""The report of a checked file: one HTML page that needs nothing else, for any browser, light or dark, and paper."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gatewright.core.file_verdict import CHANGE, FileVerdict
from gatewright.core.results import CheckResult, Measurement
from gatewright.services.reports.blocks import Table
from gatewright.services.reports.curve_charts import calibration_drawing, roc_drawing
from gatewright.services.reports.escape import plain
from gatewright.services.reports.html_page import html_page
from gatewright.services.reports.svg import CANDIDATE, Scale
from gatewright.services.reports.whiskers import Whisker, whisker_chart
from gatewright.services.reports.wording import (
    SEVERITY_WORDS,
    STATUS_WORDS,
    VERDICT_WORDS,
    label,
    limit,
    number,
    signed,
    span,
)

__all__ = ["check_report"]

# More lines nobody reads in a chart; the table below it has them all.
MAX_WHISKERS = 24
# They have no common scale with rates and losses.
UNBOUNDED = frozenset({"lift", "calibration_slope", "calibration_intercept"})


@dataclass(frozen=True)
class _Part:
    """A section: a table, charts above it, and a remark."""

    title: str
    table: Table
    charts: Sequence[Markup] = ()
    note: str = ""


def check_report(verdict: FileVerdict) -> str:
    """The page; text from files is escaped by the template, control characters are left out."""
    return html_page(
        "check_report.html.j2",
        verdict=verdict.verdict,
        word=VERDICT_WORDS[verdict.verdict],
        title=verdict.file,
        rows=f"{verdict.rows:,}",
        task=verdict.task.replace("_", " "),
        percent=f"{100 * verdict.confidence:g}",
        reasons=verdict.reasons,
        parts=[part for part in _parts(verdict) if part.table.rows or part.charts],
    )


def _part(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: frozenset[int] = frozenset(),
    charts: Sequence[Markup] = (),
    note: str = "",
) -> _Part:
    return _Part(title, Table(title, header, rows, numbers), charts, note)


def _parts(verdict: FileVerdict) -> list[_Part]:
    return [
        _part(
            "Rules",
            ("Rule", "Result", "Effect", "Measured", "Value", "Interval", "Limit", "Why"),
            [_rule(result) for result in verdict.results],
            frozenset({4}),
            note=_unasked(verdict),
        ),
        _changes(verdict),
        _metrics(verdict),
        _fairness(verdict),
        _groups(verdict),
    ]


def _unasked(verdict: FileVerdict) -> str:
    if not verdict.not_applicable:
        return ""
    reasons = "; ".join(f"{rule}: {why}" for rule, why in verdict.not_applicable.items())
    return f"Not applicable: {reasons}."


def _rule(result: CheckResult) -> tuple[str, ...]:
    return (
        plain(result.rule),
        STATUS_WORDS[result.status],
        "" if result.status == "passed" else SEVERITY_WORDS[result.severity],
        _named(result.metric, result.slice),
        number(result.value),
        span(result.interval),
        limit(result),
        plain(result.reason),
    )


def _named(metric: str, slice_name: str) -> str:
    return label(metric) if slice_name == "all" else f"{label(metric)}, {plain(slice_name)}"


def _changes(verdict: FileVerdict) -> _Part:
    changes = [m for m in verdict.changes() if m.slice == "all"]
    rows = [
        (label(m.metric.removesuffix(CHANGE)), signed(m.value), span(m.interval), _p(m), f"{m.n:,}") for m in changes
    ]
    header = ("Metric", "Candidate minus champion", "Interval", "p-value", "Rows")
    drawn = [m for m in changes if m.interval is not None and m.metric.removesuffix(CHANGE) not in UNBOUNDED]
    reach = 1.1 * max((max(abs(m.interval.low), abs(m.interval.high)) for m in drawn if m.interval), default=0) or 1.0
    chart = _whiskers("Change against the champion", drawn[:MAX_WHISKERS], Scale(-reach, reach, 230, 480), zero=True)
    return _part("Candidate against champion", header, rows, frozenset({1, 3, 4}), chart)


def _metrics(verdict: FileVerdict) -> _Part:
    rows = [
        (_named(m.metric, m.slice), number(m.value), span(m.interval), f"{m.n:,}", plain(m.note))
        for m in verdict.levels()
    ]
    charts = [Markup(svg) for svg in (roc_drawing(verdict.curves), calibration_drawing(verdict.curves)) if svg]
    return _part("Metrics", ("Metric", "Value", "Interval", "Rows", "Note"), rows, frozenset({1, 3}), charts)


def _fairness(verdict: FileVerdict) -> _Part:
    gaps = [m for m in verdict.fairness if m.interval is not None and not m.metric.endswith(CHANGE)]
    rows = [
        (plain(m.slice), label(m.metric), number(m.value), span(m.interval), f"{m.n:,}", plain(m.note))
        for m in verdict.fairness
    ]
    shown = [m for m in gaps if m.metric.endswith("_difference") and "&" not in m.slice][:MAX_WHISKERS]
    chart = _whiskers("Gaps between groups", shown, Scale(0, 1, 230, 480), sliced=True)
    header = ("Between groups of", "Gap", "Value", "Interval", "Smallest group", "Note")
    return _part("Fairness", header, rows, frozenset({2, 4}), chart)


def _groups(verdict: FileVerdict) -> _Part:
    names = list(dict.fromkeys(rate for of in verdict.groups.values() for rates in of.values() for rate in rates))
    rows = [
        (plain(column), plain(group), *(number(rates.get(name)) for name in names))
        for column, of in verdict.groups.items()
        for group, rates in of.items()
    ]
    header = ("Feature", "Group", *(label(name) for name in names))
    return _part("Groups", header, rows, frozenset(range(2, len(header))))


def _whiskers(
    title: str, drawn: Sequence[Measurement], scale: Scale, *, zero: bool = False, sliced: bool = False
) -> list[Markup]:
    rows = [
        Whisker(
            f"{m.slice}: {label(m.metric)}" if sliced else label(m.metric.removesuffix(CHANGE)),
            m.interval.low,
            m.value,
            m.interval.high,
            signed(m.value) if zero else number(m.value),
            CANDIDATE,
        )
        for m in drawn
        if m.interval is not None and m.value is not None
    ]
    return [Markup(whisker_chart(title, rows, scale, zero=zero))] if rows else []


def _p(m: Measurement) -> str:
    if m.p_value is None:
        return ""
    return "< 0.001" if m.p_value < 0.001 else f"{m.p_value:.3f}"
