"""What each group, and each combination of groups, gets from the model."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from gatewright.core.policy import CHANGE
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Measurement
from gatewright.services.reports.blocks import Block, Figure, Folded, Heading, Section, Table, capitalized, charts
from gatewright.services.reports.release_report.measures import (
    detail,
    dicts,
    figure,
    interval_words,
    listed,
    measured,
    measured_table,
    p_value,
    unmeasured,
)
from gatewright.services.reports.release_report.panels import Panel, Step, panels
from gatewright.services.reports.svg import CANDIDATE, MUTED
from gatewright.services.reports.whiskers import WIDE, Whisker, whisker_chart
from gatewright.services.reports.wording import label, number

__all__ = ["fairness"]

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate")
# Of numbers, and of several classes.
MEANS = ("mean_error", "mae", "accuracy")
ACROSS = " & "
MAXIMUM_LINES = 40
MAXIMUM_PANELS = 24
Row = Mapping[str, JsonValue]


def fairness(view: ReleaseView) -> Section:
    """Gaps between groups, then each group with its interval and support, then the trend over champions."""
    if not view.spec.sensitive:
        return Section("fairness", "Fairness", [unmeasured(view, "fairness", "Fairness", "the spec names no groups")])
    gaps = measured(view, "fairness", lambda metric: not metric.endswith(CHANGE))
    changes = measured(view, "fairness", lambda metric: metric.endswith(CHANGE))
    rows = dicts(detail(view, "fairness", "groups")) or dicts(detail(view, "fairness", "group_means"))
    blocks: list[Block] = [
        *_gaps(view, gaps),
        *listed("Changes of the gaps against the champion", changes),
        *_by_group(view, rows),
        *_trend(view),
        *_equivalence(view),
    ]
    return Section("fairness", "Fairness", blocks)


def _gaps(view: ReleaseView, gaps: Sequence[Measurement]) -> Iterator[Block]:
    if not gaps:
        yield unmeasured(view, "fairness", "Gaps between groups")
        return
    lines = [w for m in gaps if m.metric.endswith("_difference") and (w := _gap(view, m)) is not None][:MAXIMUM_LINES]
    if not lines:
        yield measured_table("Gaps between groups", gaps)
        return
    scale = WIDE.scale(
        min(0.0, *(w.low for w in lines)), max(1.0 if _shares(lines) else 0.0, *(_end(w) for w in lines))
    )
    svg = whisker_chart("Gaps between groups", lines, scale)
    says = "The largest difference between any two groups; 0 is no difference."
    yield Figure("Gaps between groups", says, charts([svg]), measured_table("Every gap that was measured", gaps))


def _gap(view: ReleaseView, m: Measurement) -> Whisker | None:
    if m.value is None or m.interval is None:
        return None
    limits = [r.maximum for r in view.policy.rules if _judges(r.stage, r.metric, m) and r.speaks_of(m.slice)]
    limit = min((bound for bound in limits if bound is not None), default=None)
    name = f"{m.slice}: {label(m.metric.removesuffix('_difference'))}"
    return Whisker(name, m.interval.low, m.value, m.interval.high, number(m.value), CANDIDATE, limit)


def _judges(stage: str, metric: str, m: Measurement) -> bool:
    return stage == "fairness" and metric == m.metric


def _shares(lines: Sequence[Whisker]) -> bool:
    return all(_end(w) <= 1 for w in lines)


def _end(w: Whisker) -> float:
    return max(w.high, w.limit or 0.0)


def _by_group(view: ReleaseView, rows: Sequence[Row]) -> Iterator[Block]:
    if not rows:
        yield unmeasured(view, "fairness", "Rates by group")
        return
    parts = {
        "By group": [row for row in rows if ACROSS not in str(row.get("slice"))],
        "By intersection of groups": [row for row in rows if ACROSS in str(row.get("slice"))],
    }
    for words, part in parts.items():
        if part:
            yield Heading(words)
            yield from _figures(view, part, words)


def _figures(view: ReleaseView, rows: Sequence[Row], words: str) -> Iterator[Block]:
    for rate in (*RATES, *MEANS):
        lines = [w for row in rows if (w := _line(view, row, rate)) is not None]
        if lines:
            shown = lines[:MAXIMUM_LINES]
            low, high = min(0.0, *(w.low for w in shown)), max(w.high for w in shown)
            scale = WIDE.scale(low, high) if rate in MEANS[:2] else WIDE.scale(0, 1)
            title = f"{capitalized(label(rate))} {words[0].lower()}{words[1:]}"
            more = len(lines) - len(shown)
            says = f"With confidence intervals and support{f'; {more} more are in the table' if more else ''}."
            yield Figure(title, says, charts([whisker_chart(title, shown, scale)]), _table(title, rows, rate))


def _line(view: ReleaseView, row: Row, rate: str) -> Whisker | None:
    value, low, high = (figure(row, name) for name in (rate, f"{rate}_low", f"{rate}_high"))
    if value is None or low is None or high is None:
        return None
    few = not _supported(view, row, rate)
    words = f"{number(value)}  n {_count(row, 'n')}{', too few' if few else ''}"
    column, group = str(row.get("slice")), str(row.get("group"))
    name = group if ACROSS in column else f"{column}: {group}"
    return Whisker(name, low, value, high, words, MUTED if few else CANDIDATE)


def _supported(view: ReleaseView, row: Row, rate: str) -> bool:
    """Whether the rate's denominator has rows enough for the policy to judge."""
    n, positives = figure(row, "n") or 0.0, figure(row, "positives")
    if positives is not None:
        n = {"true_positive_rate": positives, "false_positive_rate": n - positives}.get(rate, n)
    return n >= view.policy.minimum_support


def _table(caption: str, rows: Sequence[Row], rate: str) -> Table:
    positives = any("positives" in row for row in rows)
    return Table(
        caption,
        ("Groups of", "Group", capitalized(label(rate)), "Interval", "Rows", *(["Positives"] if positives else [])),
        [
            (
                str(row.get("slice")),
                str(row.get("group")),
                number(figure(row, rate)),
                interval_words(row, rate),
                _count(row, "n"),
                *([_count(row, "positives")] if positives else []),
            )
            for row in rows
        ],
        frozenset({2, 3, 4, 5}),
    )


def _count(row: Row, name: str) -> str:
    return number(figure(row, name))


def _trend(view: ReleaseView) -> Iterator[Block]:
    trends = [t for t in dicts(detail(view, "fairness", "trend")) if len(dicts(t.get("points"))) > 1][:MAXIMUM_PANELS]
    drawn = [_panel(view, trend) for trend in trends]
    if not drawn:
        return
    rows = [
        (
            panel.title,
            step.label,
            number(step.value),
            "" if step.low is None else f"[{number(step.low)}, {number(step.high)}]",
        )
        for panel in drawn
        for step in panel.steps
    ]
    table = Table(
        "Gaps of this release and the champions before it",
        ("Gap", "Release", "Value", "Interval"),
        rows,
        frozenset({2}),
    )
    yield Heading("Over the champions")
    yield Figure("Gaps over the champions", "The last point is this release.", charts(panels("Gap", drawn)), table)


def _panel(view: ReleaseView, trend: Row) -> Panel:
    metric, place = str(trend.get("metric")), str(trend.get("slice"))
    prefix = f"{view.opening.model}-"
    steps = [
        Step(str(point.get("release")).removeprefix(prefix), value, figure(point, "low"), figure(point, "high"))
        for point in dicts(trend.get("points"))
        if (value := figure(point, "value")) is not None
    ]
    return Panel(f"{place}: {label(metric.removesuffix('_difference'))}", steps)


def _equivalence(view: ReleaseView) -> Iterator[Block]:
    tests = dicts(detail(view, "fairness", "equivalence"))
    if tests:
        rows = [
            (
                label(str(t.get("metric"))),
                str(t.get("slice")),
                number(figure(t, "margin")),
                p_value(figure(t, "p_value")),
            )
            for t in tests
        ]
        caption = "Tests that a gap lies within the policy's margin"
        yield Folded(Table(caption, ("Gap", "Groups of", "Margin", "p-value"), rows, frozenset({2, 3})))
