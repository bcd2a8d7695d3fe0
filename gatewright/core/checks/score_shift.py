"""By how much the answers themselves move: candidate against champion, on the same rows, whatever is true of them."""

import numpy as np

from gatewright.core.checks.by_task import Answered
from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.release_facts import SCORE_SHIFT
from gatewright.core.results import Measurement
from gatewright.core.statistics.binning import Binning
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.distances import Counts, distance_interval, population_stability_index

__all__ = ["measure_score_shift"]

BINS = 10


def measure_score_shift(rows: Answered, confidence: float) -> tuple[Measurement, ...]:
    """Population stability index of the candidate's answers over tenths of the champion's; none without one.

    Of several classes it is the largest of the indexes of each class's probability. The interval is that of two
    samples of rows; the same rows give less chance than that, so it is too wide rather than too narrow.
    """
    if rows.champion is None:
        return ()
    n = len(rows.answers)
    if not n:
        return (unmeasured(SCORE_SHIFT, 0, "no rows"),)
    columns = zip(_columns(rows.champion), _columns(rows.answers), strict=True)
    then, now = max((_histograms(*pair) for pair in columns), key=lambda pair: float(population_stability_index(*pair)))
    interval = distance_interval("psi", then, now, confidence=confidence)
    return (measured(SCORE_SHIFT, float(population_stability_index(then, now)), interval, n),)


def _columns(answers: FloatArray) -> list[FloatArray]:
    return [answers] if answers.ndim == 1 else list(answers.T)


def _histograms(champion: FloatArray, candidate: FloatArray) -> tuple[Counts, Counts]:
    bins = Binning(_edges(champion))
    size = bins.edges.size + 1
    then, now = (np.bincount(bins(np.ascontiguousarray(one)), minlength=size) for one in (champion, candidate))
    return then, now


def _edges(champion: FloatArray) -> FloatArray:
    """Deciles; an answer that many rows share gets a bin of its own, or what moves above it would not be seen."""
    deciles = np.quantile(champion, np.arange(1, BINS) / BINS, method="inverted_cdf")
    values, times = np.unique(deciles, return_counts=True)
    return np.unique(np.concatenate([values[times > 1], np.nextafter(values, np.inf)]))
