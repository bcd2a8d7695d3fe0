"""The area under the ROC curve of counts by score, for many resamples at once."""

import numpy as np

from gatewright.core.statistics.blocks import FloatArray

__all__ = ["auc_from_bins"]


def auc_from_bins(positives: FloatArray, negatives: FloatArray) -> FloatArray:
    """Areas from counts per score bin in rising order, shape (..., bins); a bin counts as tied, NaN for one class."""
    # In place: tables of many rows have millions of bins.
    below = np.cumsum(negatives, axis=-1)
    pairs = positives.sum(axis=-1) * below[..., -1]
    below -= negatives / 2
    below *= positives
    wins = below.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, wins / pairs, np.nan)
