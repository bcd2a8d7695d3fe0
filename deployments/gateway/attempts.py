"""Slow down whoever tries secrets of one name."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Attempts"]

FREE = 5
LONGEST_SECONDS = 300.0


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0


class Attempts:
    """Five wrong secrets cost nothing, each one after them doubles the wait, up to five minutes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[str, _Failures] = {}

    def wait(self, name: str) -> float:
        """Seconds until ``name`` may be tried again; 0 when it may now."""
        failed = self._failures.get(name, _Failures())
        if failed.count < FREE:
            return 0.0
        pause = min(2.0 ** min(failed.count - FREE, 20), LONGEST_SECONDS)
        return max(0.0, failed.last + pause - self._clock())

    def failed(self, name: str) -> None:
        failures = self._failures.setdefault(name, _Failures())
        failures.count += 1
        failures.last = self._clock()

    def succeeded(self, name: str) -> None:
        self._failures.pop(name, None)
