"""Two proportions on the same rows: intervals and tests from the discordant counts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import copysign, erfc, exp, inf, lgamma, log, sqrt

from scipy.special import bdtr, stdtr

from gatewright.core.normal import critical_value
from gatewright.core.results import Interval

__all__ = ["McNemar", "mcnemar", "tango", "two_sided_p_value"]


def tango(only_first: float, only_second: float, n: float, *, confidence: float) -> Interval:
    """First minus second of two proportions on the same ``n`` rows: the differences a score test does not reject.

    Tango (1998), Statistics in Medicine 17, 891-908, equations 24-26. It has a width without a discordant row,
    which a bootstrap has not. Fractional counts are effective ones. Raises ValueError for impossible counts.
    """
    if not (n > 0 and only_first >= 0 and only_second >= 0 and only_first + only_second <= n):
        raise ValueError(f"{only_first} and {only_second} discordant of {n} are not paired counts")
    z, estimate = critical_value(confidence), (only_first - only_second) / n
    score = partial(_score, only_first, only_second, n)
    low = _last(lambda difference: score(difference) <= z, estimate, -1.0)
    high = _last(lambda difference: score(difference) >= -z, estimate, 1.0)
    return Interval(low=low, high=high, confidence=confidence, method="Tango")


def _score(only_first: float, only_second: float, n: float, difference: float) -> float:
    """Tango's statistic; falls with ``difference``."""
    a = -(only_first + only_second) + (2 * n - only_first + only_second) * difference
    b = only_second * difference * (1 - difference)
    share = (sqrt(max(a * a + 8 * n * b, 0.0)) - a) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    distance = only_first - only_second - n * difference
    if not variance > 0:
        return copysign(inf, distance) if distance else 0.0
    return distance / sqrt(variance)


def _last(holds: Callable[[float], bool], inside: float, end: float) -> float:
    """Bisect for the number furthest from ``inside`` towards ``end`` that holds."""
    if holds(end):
        return end
    outside = end
    for _ in range(60):
        middle = (inside + outside) / 2
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return inside


@dataclass(frozen=True)
class McNemar:
    """Two-sided p-values of no difference. Fagerland, Lydersen, Laake (2013) advise ``mid_p``: the exact test is
    conservative, the asymptotic ones are wrong for few discordant rows."""

    exact: float
    mid_p: float
    asymptotic: float
    corrected: float


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """McNemar's test in its variants. McNemar (1947), Psychometrika 12, 153-157; BMC Med. Res. Method. 13, 91."""
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    if not discordant:
        return McNemar(1.0, 1.0, 1.0, 1.0)
    tail = 2 * float(bdtr(fewer, discordant, 0.5))
    point = exp(lgamma(discordant + 1) - lgamma(fewer + 1) - lgamma(discordant - fewer + 1) - discordant * log(2))
    gap = abs(only_first - only_second)
    return McNemar(
        exact=min(1.0, tail),
        mid_p=min(1.0, tail - point),
        asymptotic=erfc(gap / sqrt(2 * discordant)),
        corrected=erfc(max(gap - 1, 0) / sqrt(2 * discordant)),
    )


def two_sided_p_value(value: float, error: float, *, degrees: float = inf) -> float | None:
    """Of no effect, from an estimate and its standard error, by Student's t with ``degrees`` of freedom.

    Without an error 1 for an estimate of exactly nothing, and None for any other.
    """
    if not error > 0:
        return 1.0 if value == 0 else None
    ratio = abs(value) / error
    return erfc(ratio / sqrt(2)) if degrees == inf else 2 * float(stdtr(degrees, -ratio))
