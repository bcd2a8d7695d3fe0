"""Average precision: the area under the precision-recall curve as a sum over thresholds, without interpolation."""

import numpy as np

from gatewright.core.statistics.blocks import FloatArray

__all__ = ["average_precision_from_bins"]


def average_precision_from_bins(positives: FloatArray, rows: FloatArray) -> FloatArray:
    """Average precision from counts per score bin in rising order, shape (..., bins); a bin counts as tied."""
    # In place: tables of many rows have millions of bins.
    found = np.cumsum(positives[..., ::-1], axis=-1)
    terms = np.cumsum(rows[..., ::-1], axis=-1)
    np.divide(found, terms, out=terms, where=terms > 0)
    terms *= positives[..., ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        total: FloatArray = terms.sum(axis=-1) / found[..., -1]
    return total
