"""Logistic recalibration: how outcomes depend on the log-odds that a model gave.

``logit P(y = 1) = intercept + slope * logit(score)``. Cox (1958), Biometrika 45, 562-565; slope below 1: scores too
extreme; the intercept here is that of the joint fit, as Cox's. Both are found by Newton's method; resamples take one
further step from the estimate, which is as good as a fit to first order and costs a 2 x 2 system.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.score_table import ScoreTable

__all__ = ["Recalibration", "log_odds", "recalibrate", "recalibration_terms", "stepped"]

STEPS = 50
TOLERANCE = 1e-12


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
    """The maximum-likelihood fit."""
    x, rows = log_odds(table.scores), table.rows
    fit, undefined = np.array([0.0, 1.0]), Recalibration(float("nan"), float("nan"))
    for _ in range(STEPS):
        terms = recalibration_terms(x, table.positives, rows, Recalibration(*fit)).sum(axis=0)
        step = _step(terms)
        # A long step is shortened: far from the fit the likelihood is no parabola.
        fit = fit + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if not np.isfinite(fit).all() or np.abs(fit).max() > 1e3:
            return undefined
        if np.abs(step).max() < TOLERANCE * max(1.0, float(np.abs(fit).max())):
            return Recalibration(float(fit[0]), float(fit[1]))
    return undefined


def recalibration_terms(x: FloatArray, positives: NDArray[Any], rows: Any, fit: Recalibration) -> FloatArray:
    """What each entry adds to the gradient (2 numbers) and the curvature (3) at ``fit``, shape (..., 5).

    ``x``: log-odds; ``positives`` of ``rows`` rows are 1.
    """
    chance = 1 / (1 + np.exp(-(fit.intercept + fit.slope * x)))
    residual, weight = positives - rows * chance, rows * (chance * (1 - chance))
    return np.stack([residual, residual * x, weight, weight * x, weight * x * x], axis=-1)


def stepped(fit: Recalibration, terms: FloatArray) -> Recalibration:
    """One Newton step from ``fit`` for each row of summed ``terms``, shape (..., 5): arrays of shape (...)."""
    step = _step(terms)
    return Recalibration(fit.intercept + step[..., 0], fit.slope + step[..., 1])


def _step(terms: FloatArray) -> FloatArray:
    a, b, one, x, xx = np.moveaxis(terms, -1, 0)
    determinant = one * xx - x * x
    with np.errstate(divide="ignore", invalid="ignore"):
        intercept, slope = (xx * a - x * b) / determinant, (one * b - x * a) / determinant
    return np.where((determinant > 0)[..., None], np.stack([intercept, slope], axis=-1), np.nan)
