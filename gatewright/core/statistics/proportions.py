"""Intervals for proportions that stay honest at 0, at 1 and with few rows."""

from gatewright.core.normal import critical_value
from gatewright.core.results import Interval

__all__ = ["bonett_price_difference", "newcombe_difference", "wilson"]


def wilson(successes: float, n: float, *, confidence: float) -> Interval:
    """Score interval of a proportion. Wilson (1927), JASA 22, 209-212. Fractional counts are effective ones.

    Raises ValueError unless 0 <= successes <= n and n > 0.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"{successes} successes of {n} are not a proportion")
    z, share = critical_value(confidence), successes / n
    centre = share + z * z / (2 * n)
    margin = z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    scale = 1 + z * z / n
    # At 0 and n the bounds are exactly 0 and 1; rounding would put the estimate outside.
    low = 0.0 if successes == 0 else max(0.0, (centre - margin) / scale)
    high = 1.0 if successes == n else min(1.0, (centre + margin) / scale)
    return Interval(low=low, high=high, confidence=confidence, method="Wilson")


def newcombe_difference(first: tuple[float, float], second: tuple[float, float], *, confidence: float) -> Interval:
    """First minus second of two independent proportions, each (successes, n).

    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    a, b = wilson(*first, confidence=confidence), wilson(*second, confidence=confidence)
    p, q = first[0] / first[1], second[0] / second[1]
    low = p - q - ((p - a.low) ** 2 + (b.high - q) ** 2) ** 0.5
    high = p - q + ((a.high - p) ** 2 + (q - b.low) ** 2) ** 0.5
    return Interval(low=low, high=high, confidence=confidence, method="Newcombe")


def bonett_price_difference(only_first: int, only_second: int, n: int, *, confidence: float) -> Interval:
    """First minus second of two proportions on the same ``n`` rows, from the discordant counts.

    Adjusted Wald interval of Bonett & Price (2012), Journal of Educational and Behavioral Statistics 37,
    479-488. Unlike a bootstrap it has a width when no pair is discordant.
    """
    if not (n > 0 and only_first >= 0 and only_second >= 0 and only_first + only_second <= n):
        raise ValueError(f"{only_first} and {only_second} discordant of {n} are not paired counts")
    first, second = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    difference = first - second
    margin = critical_value(confidence) * ((first + second - difference**2) / (n + 2)) ** 0.5
    low, high = max(-1.0, difference - margin), min(1.0, difference + margin)
    return Interval(low=low, high=high, confidence=confidence, method="Bonett-Price")
