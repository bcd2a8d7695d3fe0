"""Split-conformal prediction: sets that hold the truth with a promised probability, whatever the model.

Vovk, Gammerman, Shafer (2005), Algorithmic Learning in a Random World; the finite-sample quantile as in
Angelopoulos & Bates (2023), Foundations and Trends in Machine Learning 16(4), section 1. A nonconformity says how
badly an outcome fits the model's answer: 1 less the outcome's probability (Sadinle, Lei, Wasserman 2019, JASA
114) or, for numbers, the distance to the prediction.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaincinv, betaln, gammaln

from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import FloatArray

__all__ = [
    "calibration_half",
    "clopper_pearson",
    "conformal_quantile",
    "conformal_rank",
    "coverage_range",
    "exchangeability_p_value",
]

# Blocks take a unit's hash as it is; the halves another one, so that every block has rows in both.
_HALVES = np.uint64(0xD1B54A32D192ED03)
# Probabilities that differ by rounding alone count as equal.
_EQUAL = 1 + 1e-9


def conformal_rank(rows: int, alpha: float) -> int:
    """Which of the sorted calibration nonconformities is the quantile: the ``ceil((rows + 1) (1 - alpha))``-th."""
    return math.ceil((rows + 1) * (1 - alpha))


def conformal_quantile(nonconformity: FloatArray, alpha: float) -> float:
    """The largest nonconformity a set takes in; infinite where so few rows cannot keep the promise."""
    rank = conformal_rank(nonconformity.size, alpha)
    if rank > nonconformity.size:
        return math.inf
    return float(np.partition(nonconformity, rank - 1)[rank - 1])


def calibration_half(units: NDArray[Any], seed: int) -> NDArray[np.bool_]:
    """Which rows calibrate, shape (rows,): all rows of a unit (integer ids of clusters or rows) or none."""
    salted = (units.astype(np.uint64) + np.uint64(seed % 2**32)) * _HALVES
    half: NDArray[np.bool_] = pd.util.hash_array(salted) >> np.uint64(63) == 1
    return half


def clopper_pearson(successes: float, n: float, *, confidence: float) -> Interval:
    """Exact interval of a proportion. Clopper & Pearson (1934), Biometrika 26, 404-413.

    Fractional counts are effective ones. Raises ValueError unless 0 <= successes <= n and n > 0.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"{successes} successes of {n} are not a proportion")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    share = successes / n
    return Interval(low=min(low, share), high=max(high, share), confidence=confidence, method="Clopper-Pearson")


def coverage_range(calibrated: int, alpha: float, *, confidence: float) -> tuple[float, float]:
    """Between which bounds the true coverage lies for a calibration half of this size, drawn at random.

    It follows Beta(k, n + 1 - k), with k the rank of the quantile. Vovk (2012), ACML, PMLR 25, 475-490.
    """
    rank = conformal_rank(calibrated, alpha)
    if rank > calibrated:
        return 1.0, 1.0
    tail = (1 - confidence) / 2
    low, high = betaincinv(rank, calibrated + 1 - rank, [tail, 1 - tail])
    return float(low), float(high)


def exchangeability_p_value(covered: int, tested: int, calibrated: int, alpha: float) -> float | None:
    """Two-sided p-value of "calibration and test rows come from one distribution", from the rows covered.

    Their number then follows the beta-binomial distribution (exactly, without ties); the p-value adds all
    numbers at most as probable. None without rows, or where every set is full.
    """
    rank = conformal_rank(calibrated, alpha)
    if not tested or rank > calibrated:
        return None
    a, b = rank, calibrated + 1 - rank
    k = np.arange(tested + 1)
    ways = gammaln(tested + 1) - gammaln(k + 1) - gammaln(tested - k + 1)
    probability = np.exp(ways + betaln(k + a, tested - k + b) - betaln(a, b))
    return float(min(1.0, probability[probability <= probability[covered] * _EQUAL].sum()))
