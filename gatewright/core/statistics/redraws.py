"""Resamples of counts: multinomial redraws of each group's cells, which know no order of rows or of groups."""

from collections import Counter

import numpy as np

from gatewright.core.statistics.blocks import REPLICATES, FloatArray, IntArray

__all__ = ["redrawn"]

# One row's worth of doubt, spread evenly over a group's cells (Perks 1947, Journal of the Institute of Actuaries
# 73, 285-334): a cell without rows is rare, not impossible.
PRIOR_ROWS = 1.0


def redrawn(cells: IntArray, *, seed: int) -> FloatArray:
    """Counts as other samples of the same size might show them, shape (REPLICATES, k, c) of ``cells`` (k, c).

    Each group is drawn apart, given its number of rows, from a stream that only ``seed`` and its own counts
    choose: neither the names of groups nor their number change it. Groups with equal counts get streams of their
    own.
    """
    draws = np.empty((REPLICATES, *cells.shape))
    seen: Counter[tuple[int, ...]] = Counter()
    for k, counts in enumerate(cells):
        own = tuple(counts.tolist())
        stream = np.random.default_rng([seed, seen[own], *own])
        seen[own] += 1
        shares = counts + PRIOR_ROWS / counts.size
        draws[:, k] = stream.multinomial(int(counts.sum()), shares / shares.sum(), size=REPLICATES)
    return draws
