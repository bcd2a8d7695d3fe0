"""Candidate against champion: every metric on the same rows, and the slices where they differ."""

from collections.abc import Sequence

from gatewright.core.policy import CHANGE
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Measurement
from gatewright.services.reports import charts as page_charts
from gatewright.services.reports.blocks import (
    Block,
    Cell,
    Figure,
    Folded,
    Section,
    Table,
    Text,
    capitalized,
    charts,
    pair,
)
from gatewright.services.reports.release_report.measures import (
    change_cells,
    measured,
    measured_table,
    named,
    unmeasured,
)
from gatewright.services.reports.slice_pages import slice_chart, slices_drawn
from gatewright.services.reports.wording import NOTHING, label, number, signed, span

__all__ = ["comparison", "slices"]

SEARCHED = ("worst_slices_found", "worst_slice_gap", "worst_changes_found", "worst_slice_change")
WORST = (*SEARCHED, "unsupported_slices")


def comparison(view: ReleaseView) -> Section:
    """All metrics of the evaluate stage, with the champion's and the paired change."""
    levels = measured(view, "evaluate", lambda metric: not metric.endswith(CHANGE))
    blocks: list[Block] = [_champion(view)]
    drawn = page_charts.comparison_chart(view)
    if drawn is not None:
        says = "With confidence intervals; of a change whose interval holds zero nobody knows the direction."
        blocks.append(Figure("Key metrics", says, charts([drawn]), _metrics(view, levels)))
    elif levels:
        blocks.append(_metrics(view, levels))
    else:
        blocks.append(unmeasured(view, "evaluate", "Metrics"))
    return Section("comparison", "Candidate against champion", blocks)


def _champion(view: ReleaseView) -> Text:
    champion = view.opening.champion
    if champion is None:
        return Text("No champion serves: this is a first release, and there is nothing to compare with.")
    return Text(f"The champion is the model of {champion.release_id}. Both answered the same rows; changes are paired.")


def _metrics(view: ReleaseView, levels: list[Measurement]) -> Table:
    return Table(
        "Metrics of the candidate and the change to the champion",
        ("Metric", "Candidate", "Interval", "Champion", "Change", "Interval", "p-value", "Rows"),
        [_metric(view, m) for m in levels],
        frozenset({1, 2, 3, 4, 5, 6, 7}),
    )


def _metric(view: ReleaseView, m: Measurement) -> tuple[str, ...]:
    change = view.find("evaluate", m.metric + CHANGE, m.slice)
    champion = NOTHING
    if change is not None and change.value is not None and m.value is not None:
        champion = number(m.value - change.value)
    value = number(m.value) if m.value is not None else m.note or NOTHING
    return (
        named(m.metric, m.slice), value, span(m.interval), champion, *(str(c) for c in change_cells(change)), f"{m.n:,}"
    )  # fmt: skip


def slices(view: ReleaseView) -> Section:
    """The slices that moved most, the worst ones that a search found, and all that the spec names."""
    found = sorted(measured(view, "slices", lambda metric: metric in WORST), key=lambda m: WORST.index(m.metric))
    others = [m for m in measured(view, "slices", lambda metric: metric not in WORST) if m.value is not None]
    if not found and not others:
        why = "the spec names no slices" if view.spec.slices is None else ""
        return Section("slices", "Slices", [unmeasured(view, "slices", "Slices", why)])
    worst = [measured_table("The worst slices", found)] if found else []
    return Section("slices", "Slices", [*_moved(view), Text(_searched(found)), *worst, *_every_slice(others)])


def _moved(view: ReleaseView) -> list[Block]:
    drawn = slice_chart(view)
    if drawn is None:
        return [unmeasured(view, "slices", "Slices that moved", "no slice has rows enough for an interval")]
    says = (
        "What surely got worse comes first; without a champion the level is drawn. Each interval is of its slice alone."
    )
    return [Figure("Slices that moved most", says, charts([drawn]), measured_table("Slices", slices_drawn(view)))]


def _searched(found: Sequence[Measurement]) -> str:
    searched = [m for m in found if m.metric in SEARCHED]
    if searched and all(m.value is None for m in searched):
        return f"The worst slices were not searched for: {searched[0].note}."
    return (
        "The worst slices were searched on one half of the rows and tested on the other; their p-values are adjusted."
    )


def _every_slice(measurements: Sequence[Measurement]) -> list[Folded]:
    """One row a slice, one column a metric, each value with its interval."""
    found = {(m.slice, m.metric): m for m in measurements}
    metrics = list(dict.fromkeys(m.metric for m in measurements))
    largest = {m.slice: 0 for m in measurements}
    for m in measurements:
        largest[m.slice] = max(largest[m.slice], m.n)
    rows = [(name, f"{n:,}", *(_cell(found.get((name, metric))) for metric in metrics)) for name, n in largest.items()]
    header = ("Slice", "Rows", *(capitalized(label(metric)) for metric in metrics))
    return [Folded(Table("Every slice", header, rows, frozenset(range(1, len(header)))))] if rows else []


def _cell(m: Measurement | None) -> Cell:
    if m is None or m.value is None:
        return NOTHING
    value = signed(m.value) if m.metric.endswith(CHANGE) else number(m.value)
    return pair(value, "" if m.interval is None else span(m.interval))
