"""Tests of gaps between groups: is there one at all, and is it certainly smaller than a margin?"""

import numpy as np
from scipy.special import chdtrc, ndtr

from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.gaps import Gap

__all__ = ["effective_counts", "equivalence_p_value", "homogeneity_p_value"]

# Bounds further out than this many standard deviations are no probabilities a float can hold.
FURTHEST = 38.0
STEPS = 60


def equivalence_p_value(gap: Gap, margin: float) -> float:
    """One-sided p-value of "the gap is as large as ``margin``" (for a ratio: as small as it).

    Two one-sided tests for every pair of groups at once (TOST; Schuirmann 1987, Journal of Pharmacokinetics and
    Biopharmaceutics 15, 657-680; Berger 1982): the smallest alpha at which the far bound of `gap_interval` keeps
    within the margin, so that a rule on the interval and this test say the same. 1.0 where the gap itself does
    not keep within it, or is undefined.
    """
    if not _within(gap, gap.value, margin):
        return 1.0
    low, high = 0.0, FURTHEST
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(gap, gap.wide(middle), margin) else (low, middle)
    return float(ndtr(-low))


def _within(gap: Gap, bound: float, margin: float) -> bool:
    return bound < margin if gap.kind == "difference" else bound > margin


def homogeneity_p_value(gaps: tuple[Gap, ...]) -> float | None:
    """Two-sided p-value of "no group differs in any of these rates"; None where no rate varies.

    Pearson's chi-square test of each rate on its (effective) counts, the smallest p-value times the number of
    rates. With effective counts this is the first-order correction of Rao & Scott (1981), JASA 76, 221-230.
    """
    found = [p for p in map(_chi_square_p_value, gaps) if p is not None]
    return min(1.0, len(found) * min(found)) if found else None


def _chi_square_p_value(gap: Gap) -> float | None:
    pooled = gap.successes.sum() / gap.counts.sum()
    if not 0 < pooled < 1:
        return None
    statistic = float((gap.counts * (gap.rates - pooled) ** 2).sum() / (pooled * (1 - pooled)))
    return float(chdtrc(gap.counts.size - 1, statistic))


def effective_counts(rates: FloatArray, counts: FloatArray, replicates: FloatArray, blocks: FloatArray) -> FloatArray:
    """The number of independent rows that would leave the same doubt, shape (k,).

    ``replicates``: the rates in each resample of clusters, shape (B, k). The number is divided by the design
    effect, the variance over the binomial one (Kish 1965, Survey Sampling, section 8.2), where that exceeds 1.
    A rate of 0 or 1 shows no variance; there it is at most the number of ``blocks`` with rows of the group.
    """
    binomial = rates * (1 - rates) / counts
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.maximum(1.0, np.nanvar(replicates, axis=0) / binomial)
    return np.where(binomial > 0, counts / effect, np.minimum(counts, blocks))
