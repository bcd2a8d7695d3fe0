"""The figures of a session: how many faults were injected, how many recoveries followed, how many violations."""

from collections import Counter
from collections.abc import Iterable

from tests.faults.sweep import Outcome

__all__ = ["FIGURES", "Figures"]


class Figures:
    """Counts by scenario."""

    def __init__(self) -> None:
        self.points: Counter[str] = Counter()
        self.recoveries: Counter[str] = Counter()
        self.violations: Counter[str] = Counter()

    def count(self, scenario: str, *, points: int = 1, recoveries: int = 0, violations: int = 0) -> None:
        """Add to what is known of ``scenario``."""
        self.points[scenario] += points
        self.recoveries[scenario] += recoveries
        self.violations[scenario] += violations

    def add(self, outcomes: Iterable[Outcome], scenario: str = "") -> None:
        for outcome in outcomes:
            self.count(
                scenario or outcome.scenario,
                points=len(outcome.faults),
                recoveries=outcome.runs - 1,
                violations=len(outcome.violations),
            )

    def table(self) -> str:
        """One line a scenario, and their sum."""
        lines = [f"{'scenario':<44} {'points':>8} {'recoveries':>11} {'violations':>11}"]
        for name, points in self.points.items():
            lines.append(f"{name:<44} {points:>8} {self.recoveries[name]:>11} {self.violations[name]:>11}")
        sums = (sum(counter.values()) for counter in (self.points, self.recoveries, self.violations))
        lines.append("{:<44} {:>8} {:>11} {:>11}".format("all", *sums))
        return "\n".join(lines)


FIGURES = Figures()
