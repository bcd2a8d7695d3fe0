"""One-sided p-values from intervals, and what becomes of them when many slices are looked at.

An interval of confidence 1 - 2 alpha holds the values that two one-sided tests of level alpha do not refuse.
Inverted under local normality, with the standard error read from the distance between value and bound on
the side of the limit, it gives a p-value that is at most alpha exactly when the bound respects the limit.
Far from alpha it extrapolates the normal shape, which is what Holm's smallest levels rest on.

Adjusted p-values: Holm (1979), Scandinavian Journal of Statistics 6, 65-70; Benjamini & Hochberg (1995),
Journal of the Royal Statistical Society B 57, 289-300.
"""

from collections.abc import Sequence
from itertools import accumulate
from statistics import NormalDist

from gatewright.core.limits import Limits
from gatewright.core.normal import critical_value
from gatewright.core.results import Interval

__all__ = ["benjamini_hochberg", "holm", "p_of_breach", "p_of_respect"]

_NORMAL = NormalDist()


def p_of_respect(value: float, interval: Interval, limits: Limits) -> float:
    """P-value of "the limit is broken": small when the data show that it is respected.

    Two limits are two one-sided tests, and the larger p-value counts (TOST: Schuirmann 1987, Journal of
    Pharmacokinetics and Biopharmaceutics 15, 657-680; an intersection-union test, so without correction).
    """
    sides = []
    if limits.minimum is not None:
        sides.append(_tail(value - limits.minimum, value - interval.low, interval, strict=limits.strict))
    if limits.maximum is not None:
        sides.append(_tail(limits.maximum - value, interval.high - value, interval, strict=limits.strict))
    return max(sides)


def p_of_breach(value: float, interval: Interval, limits: Limits) -> float:
    """P-value of "the limit is respected": small when the data show harm. Two limits are paid for (Bonferroni)."""
    sides = []
    if limits.minimum is not None:
        sides.append(_tail(limits.minimum - value, interval.high - value, interval, strict=not limits.strict))
    if limits.maximum is not None:
        sides.append(_tail(value - limits.maximum, value - interval.low, interval, strict=not limits.strict))
    return min(1.0, len(sides) * min(sides))


def _tail(distance: float, reach: float, interval: Interval, *, strict: bool) -> float:
    """P-value of being ``distance`` beyond an edge when the bound on its side is ``reach`` away."""
    if not reach > 0:
        certain = distance > 0 or (distance == 0 and not strict)
        return 0.0 if certain else 1.0
    z = critical_value(interval.confidence)
    return _NORMAL.cdf(-distance / reach * z)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the given order: refusing those at most alpha keeps the familywise error at alpha."""
    order = _rising(p_values)
    stepped = (p_values[place] * (len(order) - rank) for rank, place in enumerate(order))
    return _in_order(list(accumulate(stepped, max)), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the given order: refusing those at most alpha keeps the false discovery rate at alpha.

    For independent or positively dependent tests (Benjamini & Yekutieli 2001).
    """
    order = _rising(p_values)
    ratios = [p_values[place] * len(order) / rank for rank, place in enumerate(order, start=1)]
    return _in_order(list(accumulate(reversed(ratios), min))[::-1], order)


def _rising(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=p_values.__getitem__)


def _in_order(adjusted: Sequence[float], order: Sequence[int]) -> list[float]:
    result = [1.0] * len(order)
    for place, p in zip(order, adjusted, strict=True):
        result[place] = min(p, 1.0)
    return result
