"""The normal distribution's part in intervals."""

from statistics import NormalDist

__all__ = ["critical_value"]


def critical_value(confidence: float) -> float:
    """How many standard errors a two-sided interval of ``confidence``, within (0, 1), reaches to either side."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
