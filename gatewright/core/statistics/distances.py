"""How far two histograms over the same bins are apart, whatever the order of the bins.

Population stability index, Jensen-Shannon distance and Cramer's V are sums over bins of a smooth function of the two
shares. Their intervals come from the delta method with its second-order terms: the same as drawing both histograms
again many times, without the draws.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from gatewright.core.normal import critical_value
from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import FloatArray

__all__ = [
    "FLOOR",
    "Counts",
    "Distance",
    "chi_square_p_value",
    "cramers_v",
    "distance_interval",
    "expected_stability_index",
    "jensen_shannon_distance",
    "population_stability_index",
]

# Shares below this count as this much, so that an empty bin does not make the stability index infinite.
FLOOR = 1e-4

Counts = NDArray[np.float64] | NDArray[np.int64]
Distance = Literal["psi", "jensen_shannon", "chi_square"]


def population_stability_index(reference: Counts, current: Counts) -> FloatArray:
    """Sum of (q - p) ln(q / p) over bins, counts of shape (..., bins). Siddiqi (2006), Credit Risk Scorecards.

    NaN where a histogram is empty.
    """
    p, q = np.maximum(_shares(reference), FLOOR), np.maximum(_shares(current), FLOOR)
    index: FloatArray = ((q - p) * np.log(q / p)).sum(axis=-1)
    return index


def jensen_shannon_distance(reference: Counts, current: Counts) -> FloatArray:
    """Square root of the Jensen-Shannon divergence in bits: 0 for equal shares, 1 where no bin is shared.

    Endres & Schindelin (2003), IEEE Transactions on Information Theory 49. NaN where a histogram is empty.
    """
    p, q = _shares(reference), _shares(current)
    divergence = (_bits(p, (p + q) / 2) + _bits(q, (p + q) / 2)).sum(axis=-1) / 2
    distance: FloatArray = np.sqrt(np.clip(divergence, 0, 1))
    return distance


def cramers_v(reference: Counts, current: Counts) -> FloatArray:
    """Cramer's V of the table of two equally weighted samples by bins: from 0 to 1, whatever the numbers of rows.

    With as many rows on both sides it is the textbook's sqrt(chi-square / rows). Cramer (1946), Mathematical
    Methods of Statistics, section 21.9. NaN where a histogram is empty.
    """
    p, q = _shares(reference), _shares(current)
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(p + q == 0, 0.0, (p - q) ** 2 / (2 * (p + q)))
    value: FloatArray = np.sqrt(terms.sum(axis=-1))
    return value


def chi_square_p_value(reference: Counts, current: Counts) -> float | None:
    """Pearson's test that both histograms come from one distribution; None with fewer than two filled bins.

    Shown, never decided on: with many rows any difference, however small, has a p-value of zero.
    """
    table = np.stack([reference, current]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not (table.sum(axis=1) > 0).all():
        return None
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(chdtrc(table.shape[1] - 1, ((table - expected) ** 2 / expected).sum()))


def expected_stability_index(reference: Counts, current: Counts) -> float:
    """What the index is on average without any drift: about (bins - 1)(1/n + 1/m).

    Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14(4).
    """
    return _degrees(reference, current) * _per_degree(reference, current)


def distance_interval(distance: Distance, reference: Counts, current: Counts, *, confidence: float) -> Interval | None:
    """Interval of a distance when both histograms are multinomial samples; None where one is empty.

    All three are too large in small samples. The lower bound, which confirms drift, is corrected for that;
    the upper bound, which rules drift out, is held open by as much.
    """
    n, m = float(reference.sum()), float(current.sum())
    if not (n and m):
        return None
    form = _FORMS[distance]
    p, q = _shares(reference), _shares(current)
    value = float(form.value(reference, current))
    raw = value if not form.rooted else value**2
    a, b = (np.maximum(p, form.floor), np.maximum(q, form.floor))
    # Below the floor a share moves nothing.
    dp, dq = (np.where(s < form.floor, 0.0, slope) for s, slope in zip((p, q), form.slopes(a, b), strict=True))
    second = form.null * _per_degree(reference, current)
    degrees = _degrees(reference, current)
    variance = _variance(p, dp) / n + _variance(q, dq) / m + 2 * degrees * second**2
    excess = max(degrees * second, form.bias(a, b, (p > 0) / n, (q > 0) / m))
    margin = excess + critical_value(confidence) * variance**0.5
    low, high = max(0.0, raw - margin), raw + margin
    if form.rooted:
        low, high = low**0.5, min(1.0, high**0.5)
    return Interval(low=min(low, value), high=max(high, value), confidence=confidence, method="delta method")


@dataclass(frozen=True)
class _Form:
    """A distance, or its square where ``rooted``: slopes by the two shares, mean without drift per degree of freedom.

    ``bias``: half the curvature times the variance of each share, summed.
    """

    value: Callable[[Counts, Counts], FloatArray]
    slopes: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
    bias: Callable[[FloatArray, FloatArray, FloatArray, FloatArray], float]
    null: float
    rooted: bool
    floor: float


def _stability_slopes(p: FloatArray, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    log = np.log(q / p)
    return 1 - log - q / p, 1 + log - p / q


def _stability_bias(p: FloatArray, q: FloatArray, n: FloatArray, m: FloatArray) -> float:
    return float(((1 + q / p) * n + (1 + p / q) * m).sum() / 2)


def _shannon_slopes(p: FloatArray, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    middle = (p + q) / 2
    return np.log2(p / middle) / 2, np.log2(q / middle) / 2


def _shannon_bias(p: FloatArray, q: FloatArray, n: FloatArray, m: FloatArray) -> float:
    return float(((q * n + p * m) / (p + q)).sum() / (4 * np.log(2)))


def _cramer_slopes(p: FloatArray, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    scale = (p - q) / (2 * (p + q) ** 2)
    return scale * (p + 3 * q), -scale * (q + 3 * p)


def _cramer_bias(p: FloatArray, q: FloatArray, n: FloatArray, m: FloatArray) -> float:
    return float((2 * p * q * (q * n + p * m) / (p + q) ** 3).sum())


_TINY = 1e-300
_FORMS = {
    "psi": _Form(population_stability_index, _stability_slopes, _stability_bias, 1.0, False, FLOOR),
    "jensen_shannon": _Form(
        jensen_shannon_distance, _shannon_slopes, _shannon_bias, float(1 / (8 * np.log(2))), True, _TINY
    ),
    "chi_square": _Form(cramers_v, _cramer_slopes, _cramer_bias, 0.25, True, 1e-60),
}


def _variance(shares: FloatArray, slopes: FloatArray) -> float:
    return max(0.0, float(shares @ slopes**2 - (shares @ slopes) ** 2))


def _degrees(reference: Counts, current: Counts) -> int:
    return max(0, int(((reference + current) > 0).sum()) - 1)


def _per_degree(reference: Counts, current: Counts) -> float:
    return float(1 / reference.sum() + 1 / current.sum())


def _bits(p: FloatArray, middle: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        bits: FloatArray = np.where(p == 0, 0.0, p * np.log2(p / middle))
    return bits


def _shares(counts: Counts) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: FloatArray = counts / counts.sum(axis=-1, keepdims=True)
    return shares
