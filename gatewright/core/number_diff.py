"""Which numbers differ between two releases, and whether that is shown.

Whether a change is *shown* is asked of an interval. Against its own champion a candidate was measured on the same rows,
and the paired interval of the change answers. Otherwise the two numbers come from other rows, and their difference gets
the interval of Zou and Donner (2008, Statistics in Medicine 27, 1693-1702), which keeps its confidence for independent
rows and is too wide, never too narrow, where both were measured on the same ones.
"""

from collections.abc import Iterator
from math import hypot
from typing import Literal

from pydantic import JsonValue

from gatewright.core.directions import direction_of
from gatewright.core.policy import CHANGE
from gatewright.core.records import Record
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Interval, Measurement

__all__ = ["NumberDiff", "Shown", "difference", "numbers", "shown"]

Shown = Literal["better", "worse", "changed", "not shown", "cannot tell"]
# What is measured of a model's answers; the other stages measure data and files.
STAGES = ("evaluate", "slices", "uncertainty", "robustness", "fairness")
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")
_ROUNDING = 1e-9


class NumberDiff(Record):
    """One metric on one slice in both releases. ``paired``: both models were measured on the same rows.

    ``before`` is, where paired, the champion's value on the candidate's rows, so it has no interval of its own.
    """

    stage: str
    metric: str
    slice: str
    before: float | None
    before_interval: Interval | None
    after: float | None
    after_interval: Interval | None
    change: float | None
    change_interval: Interval | None
    paired: bool
    shown: Shown


def difference(before: Measurement, after: Measurement) -> Interval | None:
    """The interval of ``after - before`` from two intervals of one confidence; None without them."""
    first, second = before.interval, after.interval
    if first is None or second is None or before.value is None or after.value is None:
        return None
    if abs(first.confidence - second.confidence) > _ROUNDING:
        return None
    change = after.value - before.value
    below = hypot(after.value - second.low, first.high - before.value)
    above = hypot(second.high - after.value, before.value - first.low)
    return Interval(
        low=change - below, high=change + above, confidence=second.confidence, method="MOVER, as of independent rows"
    )


def numbers(before: ReleaseView, after: ReleaseView, *, paired: bool) -> Iterator[NumberDiff]:
    """Every metric that has a value of its own in ``after``, in the order of its evidence; then the rates of groups."""
    for stage in STAGES:
        ours, theirs = _measured(after, stage), _measured(before, stage)
        for (metric, slice_name), measured in ours.items():
            if metric.endswith(CHANGE):
                continue
            change = ours.get((metric + CHANGE, slice_name))
            if paired and change is not None:
                yield _paired(stage, measured, change)
            elif (metric, slice_name) in theirs:
                yield _unpaired(stage, theirs[metric, slice_name], measured)
    ours, theirs = _rates(after), _rates(before)
    yield from (_unpaired("fairness", theirs[key], ours[key]) for key in ours if key in theirs)


def _measured(view: ReleaseView, stage: str) -> dict[tuple[str, str], Measurement]:
    evidence = view.stages.get(stage)
    return {(m.metric, m.slice): m for m in evidence.measurements} if evidence else {}


def _rates(view: ReleaseView) -> dict[tuple[str, str], Measurement]:
    """The rates of each group that has rows enough; the slice is ``feature=group``."""
    evidence = view.stages.get("fairness")
    rows = evidence.details.get("groups") if evidence else None
    found = (
        _rate(view, row, name) for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)
        for name in RATES
    )  # fmt: skip
    return {(m.metric, m.slice): m for m in found if m is not None}


def _rate(view: ReleaseView, row: dict[str, JsonValue], name: str) -> Measurement | None:
    n, value, low, high = (row.get(key) for key in ("n", name, f"{name}_low", f"{name}_high"))
    numbers = [one for one in (value, low, high) if isinstance(one, int | float)]
    if len(numbers) < 3 or not isinstance(n, int) or n < view.policy.minimum_support:
        return None
    interval = Interval(low=numbers[1], high=numbers[2], confidence=view.policy.confidence, method="of the group")
    return Measurement(
        metric=name, slice=f"{row.get('slice')}={row.get('group')}", value=numbers[0], interval=interval, n=n
    )


def _paired(stage: str, after: Measurement, change: Measurement) -> NumberDiff:
    known = after.value is not None and change.value is not None
    before = after.value - change.value if after.value is not None and change.value is not None else None
    return _diff(stage, before, None, after, change.value if known else None, change.interval, paired=True)


def _unpaired(stage: str, before: Measurement, after: Measurement) -> NumberDiff:
    known = before.value is not None and after.value is not None
    change = after.value - before.value if after.value is not None and before.value is not None else None
    interval = difference(before, after) if known else None
    return _diff(stage, before.value, before.interval, after, change, interval, paired=False)


def _diff(
    stage: str,
    before: float | None,
    before_interval: Interval | None,
    after: Measurement,
    change: float | None,
    interval: Interval | None,
    *,
    paired: bool,
) -> NumberDiff:
    return NumberDiff(
        stage=stage,
        metric=after.metric,
        slice=after.slice,
        before=before,
        before_interval=before_interval,
        after=after.value,
        after_interval=after.interval,
        change=change,
        change_interval=interval,
        paired=paired,
        shown=shown(after.metric, change, interval),
    )


def shown(metric: str, change: float | None, interval: Interval | None) -> Shown:
    """Whether the interval of a change leaves zero out, and then which way it goes for ``metric``."""
    if change is None or interval is None:
        return "cannot tell"
    if interval.low <= 0 <= interval.high:
        return "not shown"
    way = direction_of(metric)
    if way is None:
        return "changed"
    return "better" if (change > 0) == (way == "higher") else "worse"
