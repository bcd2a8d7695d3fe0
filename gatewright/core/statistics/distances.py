"""How far two histograms over the same bins are apart."""

import numpy as np
from numpy.typing import NDArray

from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import REPLICATES, FloatArray

__all__ = [
    "FLOOR",
    "expected_stability_index",
    "population_stability_index",
    "stability_index_interval",
]

# Shares below this count as this much, so that an empty bin does not make the index infinite.
FLOOR = 1e-4

Counts = NDArray[np.float64] | NDArray[np.int64]


def population_stability_index(reference: Counts, current: Counts) -> FloatArray:
    """Sum of (q - p) ln(q / p) over bins, counts of shape (..., bins). Siddiqi (2006), Credit Risk Scorecards.

    NaN where a histogram is empty.
    """
    p, q = _shares(reference, FLOOR), _shares(current, FLOOR)
    index: FloatArray = ((q - p) * np.log(q / p)).sum(axis=-1)
    return index


def expected_stability_index(reference: Counts, current: Counts) -> float:
    """What the index is on average without any drift: about (bins - 1)(1/n + 1/m).

    Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14(4).
    """
    bins = int(((reference + current) > 0).sum())
    return (bins - 1) * float(1 / reference.sum() + 1 / current.sum())


def stability_index_interval(reference: Counts, current: Counts, *, confidence: float, seed: int) -> Interval | None:
    """Percentile interval of the index when both histograms are drawn again; None where one is empty.

    The index is too large in small samples, and that of a draw too large twice. The lower bound, which
    confirms drift, is corrected by both; the upper bound, which rules drift out, is not.
    """
    value = float(population_stability_index(reference, current))
    if not np.isfinite(value):
        return None
    rng = np.random.default_rng(seed)
    draws = population_stability_index(_redraw(rng, reference), _redraw(rng, current))
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    excess = max(float(draws.mean()) - value, expected_stability_index(reference, current))
    return Interval(
        low=min(max(0.0, float(low) - 2 * excess), value),
        high=max(float(high), value),
        confidence=confidence,
        method="multinomial bootstrap of both histograms",
    )


def _redraw(rng: np.random.Generator, counts: Counts) -> NDArray[np.int64]:
    total = int(counts.sum())
    return rng.multinomial(total, counts / total, size=REPLICATES)


def _shares(counts: Counts, floor: float) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: FloatArray = counts / counts.sum(axis=-1, keepdims=True)
    return np.maximum(shares, floor)
