"""Logistic recalibration: how outcomes depend on the log-odds that a model gave.

``logit P(y = 1) = intercept + slope * logit(score)``. Cox (1958), Biometrika 45, 562-565; slope below 1: scores too
extreme; the intercept here is that of the joint fit, as Cox's. Both are found by Newton's method; resamples take one
further step from the estimate, which is as good as a fit to first order and costs a 2 x 2 system.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.score_table import ScoreTable

__all__ = ["Recalibration", "log_odds", "recalibrate", "recalibration_sums", "recalibration_terms", "stepped"]

STEPS = 50
TOLERANCE = 1e-12
# In log-odds of the row that a step moves most.
LONGEST = 5.0
GROUPED = 4096


class Recalibration(NamedTuple):
    """NaN where there is no finite fit: a single class, a single score, or classes that scores separate."""

    intercept: float
    slope: float


def log_odds(scores: FloatArray) -> FloatArray:
    """Of scores in [0, 1], which are cut at the resolution of a float."""
    eps = np.finfo(np.float64).eps
    safe = np.clip(scores, eps, 1 - eps)
    odds: FloatArray = np.log(safe) - np.log1p(-safe)
    return odds


def recalibrate(table: ScoreTable) -> Recalibration:
    """The maximum-likelihood fit. Many scores are first fitted in groups, which saves most steps on all of them."""
    start = Recalibration(0.0, 1.0)
    if table.scores.size > GROUPED:
        start = recalibrate(table.merged(np.arange(table.scores.size) * 1024 // table.scores.size))
    x, rows, fit = log_odds(table.scores), table.rows, np.array(start)
    for _ in range(STEPS):
        step = _step(recalibration_sums(x, table.positives, rows, Recalibration(*fit.tolist())))
        if not np.isfinite(step).all():
            break
        # A long step is shortened: far from the fit the likelihood is no parabola.
        fit = fit + step * min(1.0, LONGEST / max(float(np.abs(step[0] + step[1] * x).max()), 1e-300))
        if np.abs(step).max() < TOLERANCE * max(1.0, float(np.abs(fit).max())):
            return Recalibration(float(fit[0]), float(fit[1]))
    return Recalibration(float("nan"), float("nan"))


def recalibration_terms(x: FloatArray, fit: Recalibration) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of a positive row, of any row, with log-odds ``x``, shape (rows,): what it adds to gradient and curvature.

    The gradient is the first, summed over positives, minus the second, summed over rows, shape (rows, 2); the
    curvature the third, summed over rows, shape (rows, 3).
    """
    chance = expit(fit.intercept + fit.slope * x)
    powers = np.stack([np.ones_like(x), x, x * x])
    return powers[:2].T, (chance * powers[:2]).T, (chance * (1 - chance) * powers).T


def recalibration_sums(x: FloatArray, positives: NDArray[Any], rows: NDArray[Any], fit: Recalibration) -> FloatArray:
    """Gradient (2 numbers) and curvature (3) at ``fit``, shape (..., 5), of counts by log-odds, shape (..., k)."""
    ours, expected, curvature = recalibration_terms(x, fit)
    return np.concatenate([positives @ ours - rows @ expected, rows @ curvature], axis=-1)


def stepped(fit: Recalibration, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Intercepts and slopes one Newton step from ``fit``, each of shape (...), for ``sums`` of shape (..., 5)."""
    step = _step(sums)
    return fit.intercept + step[..., 0], fit.slope + step[..., 1]


def _step(sums: FloatArray) -> FloatArray:
    a, b, one, x, xx = np.moveaxis(sums, -1, 0)
    determinant = one * xx - x * x
    with np.errstate(divide="ignore", invalid="ignore"):
        intercept, slope = (xx * a - x * b) / determinant, (one * b - x * a) / determinant
    return np.where((determinant > 0)[..., None], np.stack([intercept, slope], axis=-1), np.nan)
