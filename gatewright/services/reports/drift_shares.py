"""How rows of a reference and of current data are spread over a column's values: the two histograms of a column."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from gatewright.core.checks.drift_verdict import FileDrift
from gatewright.core.checks.profile import CategoricalProfile, NumericProfile
from gatewright.core.checks.profile_sums import CategoricalSums, NumericSums
from gatewright.core.statistics.blocks import FloatArray

__all__ = ["Shares", "column_shares"]

BARS = 30
CATEGORIES = 20
MAXIMUM_LEVELS = 60
# Shares of the reference beyond these are in the outermost bars.
TAIL = 0.005


class Shares(NamedTuple):
    """Share of the rows by value or range of values, on both sides."""

    names: Sequence[str]
    then: FloatArray
    now: FloatArray


def column_shares(drift: FileDrift, name: str, *, bars: int = BARS) -> Shares | None:
    """The histograms of a column, of ``bars`` bars where it has many values; None where there are none to show."""
    if name not in drift.profile.features:
        return None
    feature, sums = drift.profile.features[name], drift.sums.features[name]
    if isinstance(feature, CategoricalProfile) and isinstance(sums, CategoricalSums):
        return Shares(*_category_shares(feature, sums))
    if isinstance(feature, NumericProfile) and isinstance(sums, NumericSums) and _has_width(feature):
        return Shares(*_number_shares(feature, sums, bars))
    return None


def _has_width(profile: NumericProfile) -> bool:
    return len(profile.edges) > 1 and math.isfinite(profile.edges[-1] - profile.edges[0])


def _category_shares(profile: CategoricalProfile, sums: CategoricalSums) -> tuple[list[str], FloatArray, FloatArray]:
    weight = {one: profile.counts.get(one, 0) / max(profile.rows, 1) for one in {*profile.counts, *sums.counts}}
    for one, count in sums.counts.items():
        weight[one] = max(weight[one], count / max(sums.rows, 1))
    shown = sorted(weight, key=lambda one: (-weight[one], one))[:CATEGORIES]
    then = np.array([profile.counts.get(one, 0) for one in shown]) / max(profile.rows, 1)
    now = np.array([sums.counts.get(one, 0) for one in shown]) / max(sums.rows, 1)
    if len(weight) <= CATEGORIES and not profile.other and not sums.other:
        return shown, then, now
    return [*shown, "all others"], np.append(then, max(0, 1 - then.sum())), np.append(now, max(0, 1 - now.sum()))


def _number_shares(profile: NumericProfile, sums: NumericSums, bars: int) -> tuple[list[str], FloatArray, FloatArray]:
    """Shares of each value where there are few, else in bars of equal width over the bulk of the reference.

    What lies beyond is in the outermost bars.
    """
    edges = np.array(profile.edges)
    levels = _levels(profile)
    if 1 < levels.size <= min(MAXIMUM_LEVELS, 2 * bars):
        starts = np.concatenate([[0], np.searchsorted(edges, levels[1:]) + 1])
        first, second = (np.add.reduceat(np.asarray(counts), starts) for counts in (profile.counts, sums.counts))
        names = [_written(level, profile.unit) for level in levels]
        return names, first / max(profile.rows, 1), second / max(sums.rows, 1)
    then, now = (_below(np.asarray(counts)) for counts in (profile.counts, sums.counts))
    inside = (then >= TAIL) & (then <= 1 - TAIL)
    low, high = (edges[inside].min(), edges[inside].max()) if inside.sum() > 1 else (edges[0], edges[-1])
    borders = np.linspace(0, 1, bars + 1)
    # In units of the width: slopes between neighbouring floats overflow.
    with np.errstate(over="ignore"):
        places = (edges - low) / (high - low)
    shares = [np.diff(np.concatenate([[0], np.interp(borders[1:-1], places, side), [1]])) for side in (then, now)]
    middles = low + (high - low) * (borders[1:] + borders[:-1]) / 2
    return [_written(middle, profile.unit) for middle in middles], shares[0], shares[1]


def _levels(profile: NumericProfile) -> FloatArray:
    """The values of the reference where every one has a bin of its own; else none."""
    edges, counts = np.array(profile.edges), np.array(profile.counts)
    single = np.concatenate([[False], edges[1:] == np.nextafter(edges[:-1], np.inf), [False]])
    levels: FloatArray = edges[:-1][single[1:-1]]
    return levels if not counts[~single].any() else levels[:0]


def _below(counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
    return np.cumsum(counts)[:-1] / max(int(counts.sum()), 1)


def _written(value: float, unit: str) -> str:
    if unit == "date" and abs(value) < 700_000:
        return (date(1970, 1, 1) + timedelta(days=float(value))).isoformat()
    return f"{value:.4g}"
