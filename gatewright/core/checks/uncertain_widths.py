"""How wide conformal intervals of a number are. The quantile that makes them is what is in doubt, not a mean."""

from collections.abc import Iterator

import numpy as np

from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.checks.uncertain_sets import Halves
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import (
    BlockTable,
    FloatArray,
    IntArray,
    block_histogram,
    bootstrap,
    percentile_interval,
)
from gatewright.core.statistics.conformal import conformal_quantile
from gatewright.core.statistics.quantiles import order_statistic_interval
from gatewright.core.statistics.resampled_change import resampled_p_value

__all__ = ["WIDTH", "measure_widths"]

WIDTH = "conformal_width"
BINS = 512


def measure_widths(
    candidate: FloatArray,
    champion: FloatArray | None,
    halves: Halves,
    *,
    alpha: float,
    confidence: float,
    seed: int,
) -> Iterator[Measurement]:
    """Mean width of the intervals, twice the quantile of the distances, and its change; distances of shape (rows,).

    For independent rows the interval lies between two order statistics of the calibration half. Of numbers that are
    calibrated apart by group there is no single width, and none is measured. ``n``: calibration rows.
    """
    if halves.mondrian is not None:
        return
    kept, blocks = halves.calibrates, halves.blocks[halves.calibrates]
    value, n = 2 * conformal_quantile(candidate[kept], alpha), int(kept.sum())
    names = [WIDTH] if champion is None else [WIDTH, f"{WIDTH}_change"]
    if not np.isfinite(value):
        yield from (unmeasured(name, n, "too few calibration rows to promise the coverage") for name in names)
        return
    filled = np.unique(blocks).size
    ours = 2 * _resampled(candidate[kept], blocks, alpha, seed)
    interval = percentile_interval(value, ours, blocks=filled, confidence=confidence)
    if not halves.clustered:
        interval = _order_statistics(candidate[kept], value, alpha, confidence)
    yield measured(WIDTH, value, interval, n)
    if champion is None:
        return
    change = value - 2 * conformal_quantile(champion[kept], alpha)
    replicates = ours - 2 * _resampled(champion[kept], blocks, alpha, seed)
    interval = percentile_interval(change, replicates, blocks=filled, confidence=confidence)
    found = measured(f"{WIDTH}_change", change, interval, n)
    p_value = resampled_p_value(change, replicates, blocks=filled)
    yield found if found.value is None else found.model_copy(update={"p_value": p_value})


def _order_statistics(distances: FloatArray, value: float, alpha: float, confidence: float) -> Interval | None:
    found = order_statistic_interval(2 * distances, 1 - alpha, confidence=confidence)
    if found is None:
        return None
    # The conformal rank is a little above that of the sample's own quantile.
    return found.model_copy(update={"low": min(found.low, value), "high": max(found.high, value)})


def _resampled(distances: FloatArray, blocks: IntArray, alpha: float, seed: int) -> FloatArray:
    """The quantile in each resample of blocks, interpolated within bins of equal mass, less their small error."""
    edges = np.unique(np.quantile(distances, np.linspace(0, 1, BINS + 1)))
    bins = np.clip(np.searchsorted(edges, distances, side="left") - 1, 0, max(edges.size - 2, 0))
    width = max(edges.size - 1, 1)
    resampled = bootstrap(BlockTable({"rows": block_histogram(blocks, bins, width)}), seed=seed)
    quantiles = _from_bins(resampled.replicates["rows"], edges, alpha)
    return quantiles + conformal_quantile(distances, alpha) - _from_bins(resampled.total["rows"], edges, alpha)


def _from_bins(rows: FloatArray, edges: FloatArray, alpha: float) -> FloatArray:
    kept = np.cumsum(rows, axis=-1)
    wanted = np.minimum((kept[..., -1:] + 1) * (1 - alpha), kept[..., -1:])
    last = np.minimum((kept < wanted).sum(axis=-1, keepdims=True), rows.shape[-1] - 1)
    here, upto = (np.take_along_axis(a, last, axis=-1)[..., 0] for a in (rows, kept))
    share = 1 - (upto - wanted[..., 0]) / np.maximum(here, 1e-300)
    low, high = edges[last[..., 0]], edges[np.minimum(last[..., 0] + 1, edges.size - 1)]
    quantile: FloatArray = low + share * (high - low)
    return quantile
