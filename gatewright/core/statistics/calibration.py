"""Do predicted probabilities come true? Reliability bins and the expected calibration error."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = [
    "EQUAL_MASS_BINS",
    "EQUAL_WIDTH_BINS",
    "CalibrationBin",
    "bin_edges",
    "calibration_error_from_sums",
    "equal_width_bins",
    "expected_calibration_error",
    "to_bins",
]

# Guo, Pleiss, Sun, Weinberger (2017), "On Calibration of Modern Neural Networks", ICML.
EQUAL_WIDTH_BINS = 15
EQUAL_MASS_BINS = 15

Binning = Literal["width", "mass"]


class CalibrationBin(NamedTuple):
    """One bin: mean score, share of positives with its Wilson bounds, and rows."""

    mean_score: float
    observed_rate: float
    low: float
    high: float
    n: int


def bin_edges(scores: NDArray[Any], bins: int, binning: Binning = "width") -> FloatArray:
    """Inner edges of ``bins`` equally wide bins on [0, 1], or of bins with about equally many rows."""
    if binning == "width":
        return np.linspace(0, 1, bins + 1)[1:-1]
    return np.unique(np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1]))


def to_bins(scores: NDArray[Any], edges: FloatArray) -> IntArray:
    """The bin of each score; a score on an edge belongs to the bin above."""
    return np.searchsorted(edges, scores, side="right").astype(np.int64)


def equal_width_bins(scores: FloatArray) -> NDArray[np.int32]:
    """`to_bins` by the ``EQUAL_WIDTH_BINS`` of [0, 1], without a search."""
    edges = np.r_[0.0, bin_edges(scores, EQUAL_WIDTH_BINS), np.inf]
    guess = np.minimum((scores * EQUAL_WIDTH_BINS).astype(np.int32), EQUAL_WIDTH_BINS - 1)
    guess -= scores < edges[guess]
    guess += scores >= edges[guess + 1]
    return guess


def calibration_error_from_sums(score_sums: FloatArray, label_sums: FloatArray, rows: FloatArray) -> FloatArray:
    """Expected calibration error from sums per bin, shape (..., bins), and ``rows`` of shape (...)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        error: FloatArray = np.abs(score_sums - label_sums).sum(axis=-1) / rows
    return error


def expected_calibration_error(
    labels: NDArray[Any], scores: NDArray[Any], *, bins: int = EQUAL_WIDTH_BINS, binning: Binning = "width"
) -> float:
    """Mean absolute gap between mean score and share of positives over bins, weighted by rows.

    Naeini, Cooper, Hauskrecht (2015), AAAI. NaN without rows.
    """
    if not scores.size:
        return float("nan")
    index = to_bins(scores, bin_edges(scores, bins, binning))
    score_sums, label_sums = (np.bincount(index, weights=values).astype(np.float64) for values in (scores, labels))
    return float(calibration_error_from_sums(score_sums, label_sums, np.array(scores.size, dtype=np.float64)))
