"""What the stages measured, as tables, and the points they left in their details."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import JsonValue

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Measurement
from gatewright.services.reports.blocks import Cell, Folded, Missing, Table, ticked
from gatewright.services.reports.wording import NOTHING, label, number, signed, span

__all__ = [
    "change_cells",
    "detail",
    "dicts",
    "figure",
    "interval_words",
    "listed",
    "measured",
    "measured_table",
    "named",
    "p_value",
    "thinned",
    "unmeasured",
]

TABLE_POINTS = 25
P = TypeVar("P")


def measured(view: ReleaseView, stage: str, wanted: Callable[[str], bool] = lambda _: True) -> list[Measurement]:
    """The measurements of one stage whose metric is ``wanted``; none of a stage that has not run."""
    evidence = view.stages.get(stage)
    return [] if evidence is None else [m for m in evidence.measurements if wanted(m.metric)]


def measured_table(caption: str, measurements: Sequence[Measurement]) -> Table:
    """One a line, with interval and rows; p-values, and why there is no value, where any has them."""
    tested = any(m.p_value is not None for m in measurements)
    noted = any(m.note for m in measurements)
    return Table(
        caption,
        ("Measured", "On", "Value", "Interval", "Rows", *["p-value"] * tested, *["Note"] * noted),
        [
            (
                label(m.metric),
                m.slice,
                number(m.value),
                span(m.interval),
                f"{m.n:,}",
                *[p_value(m.p_value)] * tested,
                *[ticked(m.note)] * noted,
            )
            for m in measurements
        ],
        frozenset({2, 3, 4, *[5] * tested}),
    )


def listed(caption: str, measurements: Sequence[Measurement]) -> list[Folded]:
    """The table, folded; nothing without measurements."""
    return [Folded(measured_table(caption, measurements))] if measurements else []


def unmeasured(view: ReleaseView, stage: str, what: str, why: str = "") -> Missing:
    """That there is no ``what``: because the stage has not run, or because of ``why``."""
    if stage not in view.stages:
        return Missing(ticked(f"{what}: the stage `{stage}` has not run."))
    return Missing(ticked(f"{what}: {why or f'the stage `{stage}` left nothing of it in the evidence'}."))


def named(metric: str, slice_name: str) -> str:
    """A metric in words, and where it was measured."""
    return label(metric) if slice_name == "all" else f"{label(metric)}, {slice_name}"


def p_value(value: float | None) -> str:
    """Three decimals."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def detail(view: ReleaseView, stage: str, *path: str) -> JsonValue:
    """What lies at ``path`` in the details of a stage; None where there is nothing."""
    evidence = view.stages.get(stage)
    found: JsonValue = None if evidence is None else evidence.details
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def dicts(value: JsonValue) -> list[dict[str, JsonValue]]:
    """The objects in a list; none where it is something else."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def figure(row: Mapping[str, JsonValue], name: str) -> float | None:
    """A finite number under ``name``, or None."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return float(value)


def thinned(points: Sequence[P]) -> list[P]:
    """At most `TABLE_POINTS`, evenly, with the first and the last: a table of a curve is read, not drawn."""
    last = len(points) - 1
    if last < TABLE_POINTS:
        return list(points)
    return [points[k * last // (TABLE_POINTS - 1)] for k in range(TABLE_POINTS)]


def interval_words(row: Mapping[str, JsonValue], name: str) -> str:
    """``[low, high]`` of ``name``, or a dash."""
    low, high = figure(row, f"{name}_low"), figure(row, f"{name}_high")
    return NOTHING if low is None or high is None else f"[{number(low)}, {number(high)}]"


def change_cells(m: Measurement | None) -> Iterable[Cell]:
    """Change, interval and p-value of a change to the champion; dashes without one."""
    if m is None:
        return (NOTHING, NOTHING, NOTHING)
    return (signed(m.value), span(m.interval), p_value(m.p_value))
