"""Measures of a binary decision as functions of sums: ``rows``, ``positives``, ``selected``, ``true_positives``.

The sums may have further axes (groups, resamples); rates keep them.
"""

from dataclasses import dataclass

import numpy as np

from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import Bootstrap, FloatArray, Statistic, Sums, hull
from gatewright.core.statistics.proportions import wilson

__all__ = [
    "RATES",
    "Rate",
    "balanced_accuracy",
    "effective_rows",
    "f1",
    "lift",
    "matthews_correlation",
    "quotient",
    "rate_interval",
]


def quotient(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Element-wise quotient, NaN where the denominator is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)


@dataclass(frozen=True)
class Rate:
    """A proportion of rows: ``numerator`` rows out of ``denominator`` rows."""

    numerator: Statistic
    denominator: Statistic

    def __call__(self, sums: Sums) -> FloatArray:
        return quotient(self.numerator(sums), self.denominator(sums))


def _rows(sums: Sums) -> FloatArray:
    return sums["rows"]


def _positives(sums: Sums) -> FloatArray:
    return sums["positives"]


def _negatives(sums: Sums) -> FloatArray:
    return sums["rows"] - sums["positives"]


def _selected(sums: Sums) -> FloatArray:
    return sums["selected"]


def _true_positives(sums: Sums) -> FloatArray:
    return sums["true_positives"]


def _false_positives(sums: Sums) -> FloatArray:
    return sums["selected"] - sums["true_positives"]


def _true_negatives(sums: Sums) -> FloatArray:
    return _negatives(sums) - _false_positives(sums)


def _correct(sums: Sums) -> FloatArray:
    return _true_positives(sums) + _true_negatives(sums)


RATES: dict[str, Rate] = {
    "precision": Rate(_true_positives, _selected),
    "recall": Rate(_true_positives, _positives),
    "specificity": Rate(_true_negatives, _negatives),
    "accuracy": Rate(_correct, _rows),
    "selection_rate": Rate(_selected, _rows),
    "false_positive_rate": Rate(_false_positives, _negatives),
}


def balanced_accuracy(sums: Sums) -> FloatArray:
    """Mean of recall and specificity."""
    return (RATES["recall"](sums) + RATES["specificity"](sums)) / 2


def f1(sums: Sums) -> FloatArray:
    """Harmonic mean of precision and recall."""
    return quotient(2 * sums["true_positives"], sums["positives"] + sums["selected"])


def lift(sums: Sums) -> FloatArray:
    """How many times more often a selected row is positive than any row: precision over prevalence."""
    return quotient(sums["true_positives"] * sums["rows"], sums["selected"] * sums["positives"])


def matthews_correlation(sums: Sums) -> FloatArray:
    """Correlation of label and decision; NaN where either is constant. Matthews (1975), BBA 405, 442-451."""
    rows, positives, selected = sums["rows"], sums["positives"], sums["selected"]
    covariance = sums["true_positives"] * rows - positives * selected
    spread = np.sqrt(positives * (rows - positives)) * np.sqrt(selected * (rows - selected))
    return quotient(covariance, spread)


def rate_interval(rate: Rate, bootstrap: Bootstrap, confidence: float, *, clustered: bool) -> Interval | None:
    """Wilson's interval of a rate; with clusters the bootstrap's, at least Wilson's at the effective number of rows.

    A resample of rows that are all right is all right, and a bootstrap alone would claim certainty. None as in
    `percentile_interval`.
    """
    resampled = bootstrap.interval(rate, confidence)
    n, share = float(rate.denominator(bootstrap.total)[0]), bootstrap.value(rate)
    if resampled is None:
        return None
    if not clustered:
        return wilson(share * n, n, confidence=confidence)
    binomial = share * (1 - share) / n
    n = effective_rows(rate(bootstrap.replicates), binomial, n, bootstrap.blocks)
    return hull(resampled, wilson(share * n, n, confidence=confidence))


def effective_rows(replicates: FloatArray, binomial: float, n: float, blocks: int) -> float:
    """``n`` divided by the design effect (Kish 1965): resampled variance over that of independent rows.

    Where ``binomial``, the latter, is zero, it is the number of blocks at most.
    """
    if not binomial > 0:
        return min(n, float(blocks))
    return n / max(1.0, float(np.nanvar(replicates)) / binomial)
