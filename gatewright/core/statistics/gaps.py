"""Gaps between groups: the largest minus the smallest, or the smallest over the largest, of a rate."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import Bootstrap, FloatArray, IntArray, Sums, percentile_interval
from gatewright.core.statistics.confusion import Rate, quotient
from gatewright.core.statistics.proportions import newcombe_difference, wilson

__all__ = ["Gap", "GapKind", "gap_interval", "gap_replicates", "gap_value"]

GapKind = Literal["difference", "ratio"]


@dataclass(frozen=True)
class Gap:
    """The gap of one rate between the groups ``kept`` (indices along the last axis of the sums)."""

    rate: Rate
    kind: GapKind
    kept: IntArray


def _gap(gap: Gap, sums: Sums) -> FloatArray:
    rates = gap.rate(sums)[..., gap.kept]
    highest, lowest = rates.max(axis=-1), rates.min(axis=-1)
    return highest - lowest if gap.kind == "difference" else quotient(lowest, highest)


def gap_value(gaps: tuple[Gap, ...], bootstrap: Bootstrap) -> float:
    """The worst of several gaps of one kind over all rows."""
    return float(_worst(gaps, bootstrap.total)[0])


def gap_replicates(gaps: tuple[Gap, ...], bootstrap: Bootstrap) -> FloatArray:
    """The worst of several gaps in each resample."""
    return _worst(gaps, bootstrap.replicates)


def _worst(gaps: tuple[Gap, ...], sums: Sums) -> FloatArray:
    values = np.stack([_gap(gap, sums) for gap in gaps])
    worst: FloatArray = values.max(axis=0) if gaps[0].kind == "difference" else values.min(axis=0)
    return worst


def gap_interval(gaps: tuple[Gap, ...], bootstrap: Bootstrap, confidence: float) -> Interval | None:
    """Percentile interval of the worst gap, held open by the two extreme groups' own intervals.

    Resamples of groups whose rates are all 0 or all 1 show no gap and no doubt; Newcombe's interval of the
    two extreme groups does (for a ratio, the quotient of their Wilson bounds, where no resample differs).
    """
    value, replicates = gap_value(gaps, bootstrap), gap_replicates(gaps, bootstrap)
    interval = percentile_interval(value, replicates, blocks=bootstrap.blocks, confidence=confidence)
    if interval is None:
        return None
    closed = [_closed_form(gap, bootstrap.total, confidence) for gap in gaps]
    if gaps[0].kind == "difference":
        high = max([interval.high, *(min(1.0, other.high) for other in closed)])
        return interval.model_copy(update={"high": high, "method": f"{interval.method}, at least Newcombe"})
    if not interval.high > interval.low:
        low = min(other.low for other in closed)
        return interval.model_copy(update={"low": min(low, interval.low), "method": closed[0].method})
    return interval


def _closed_form(gap: Gap, total: Sums, confidence: float) -> Interval:
    rates = gap.rate(total)[0, gap.kept]
    counts = gap.rate.denominator(total)[0, gap.kept]
    top, bottom = int(rates.argmax()), int(rates.argmin())
    highest, lowest = ((rates[k] * counts[k], counts[k]) for k in (top, bottom))
    if gap.kind == "difference":
        return newcombe_difference(highest, lowest, confidence=confidence)
    upper, lower = wilson(*highest, confidence=confidence), wilson(*lowest, confidence=confidence)
    return Interval(low=lower.low / upper.high, high=1.0, confidence=confidence, method="quotient of Wilson bounds")
