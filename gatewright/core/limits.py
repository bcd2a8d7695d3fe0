"""The allowed range of a value, and how far a value is from its edges."""

import math
from dataclasses import dataclass

from gatewright.core.results import Interval

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """The allowed range; either side may be open. ``strict``: its edges do not belong to it, as in a test."""

    minimum: float | None
    maximum: float | None
    strict: bool = False

    def hold(self, value: float) -> bool:
        """Whether ``value`` lies inside; false for NaN."""
        if self.strict:
            above = self.minimum is None or value > self.minimum
            return above and (self.maximum is None or value < self.maximum)
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)

    def hold_all(self, interval: Interval) -> bool:
        """Whether the whole interval lies inside."""
        return self.hold(interval.low) and self.hold(interval.high)

    def exclude(self, interval: Interval) -> bool:
        """Whether the whole interval lies beyond one edge."""
        below = self.minimum is not None and interval.high < self.minimum
        return below or (self.maximum is not None and interval.low > self.maximum)

    def margin(self, value: float) -> float:
        """Distance to the nearest edge in the value's unit: negative beyond it, NaN for NaN, infinite without edges."""
        below = math.inf if self.minimum is None else value - self.minimum
        above = math.inf if self.maximum is None else self.maximum - value
        return value if math.isnan(value) else min(below, above)

    def margin_of_all(self, interval: Interval) -> float:
        """The smallest margin within the interval."""
        return min(self.margin(interval.low), self.margin(interval.high))

    def __str__(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            between = f"{self.minimum:g} to {self.maximum:g}"
            return f"within {between}" if self.strict else between
        if self.minimum is not None:
            return f"{'above' if self.strict else 'at least'} {self.minimum:g}"
        return f"{'below' if self.strict else 'at most'} {self.maximum:g}"
