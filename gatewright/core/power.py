"""The smallest effect that the data could have shown, and the rows that would show a smaller one.

A one-sided test of level alpha finds an effect of (z_alpha + z_power) standard errors with the given power
(Lachin 1981, Controlled Clinical Trials 2, 93-113). For equivalence both tests must succeed while nothing
differs, which takes z of (1 + power) / 2 (Julious 2004, Statistics in Medicine 23, 1921-1986). This is the
resolution of the data, computed from their standard error; it is not the power "observed" at the estimate,
which says no more than the p-value (Hoenig & Heisey 2001, The American Statistician 55, 19-24).
"""

from math import ceil
from statistics import NormalDist

from gatewright.core.normal import critical_value
from gatewright.core.results import Interval

__all__ = ["n_needed", "smallest_effect", "standard_error"]

_NORMAL = NormalDist()
# Beyond this nobody collects rows; the number only says "far too few".
_MANY = 10**15


def standard_error(value: float, interval: Interval) -> float:
    """Of the longer side of the interval: the shorter one may be cut where the metric ends."""
    reach = max(interval.high - value, value - interval.low, 0.0)
    return reach / critical_value(interval.confidence)


def smallest_effect(error: float, *, alpha: float, power: float, two_sided: bool = False) -> float:
    """The smallest distance from a limit that is shown with ``power``; ``error`` is the standard error."""
    seen = (1 + power) / 2 if two_sided else power
    return (_NORMAL.inv_cdf(1 - alpha) + _NORMAL.inv_cdf(seen)) * error


def n_needed(n: int, smallest: float, wanted: float) -> int:
    """Rows with which ``wanted`` would be the smallest effect: the standard error falls with their square root."""
    return min(_MANY, ceil(n * (smallest / wanted) ** 2))
