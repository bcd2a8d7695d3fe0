"""Is it the same time here and at the store? Windows of approval and expiries mean nothing otherwise."""

from collections.abc import Callable
from datetime import datetime, timedelta

from gatewright.core.errors import StoreError
from gatewright.services.store import ObjectStore

__all__ = ["MAX_SKEW", "require_one_time"]

MAX_SKEW = timedelta(minutes=2)


def require_one_time(store: ObjectStore, now: Callable[[], datetime]) -> None:
    """Raises StoreError when the store's clock and ``now`` differ by more than two minutes, or it cannot tell."""
    skew = store.clock_skew(now)
    if not abs(skew) <= MAX_SKEW:
        direction = "ahead of" if skew > timedelta(0) else "behind"
        raise StoreError(
            f"the store's clock is {abs(skew).total_seconds():.0f} s {direction} this machine's: "
            f"more than {MAX_SKEW.total_seconds():.0f} s, so no window of approval can be judged.",
            where="clock",
            remedy="correct the clock that is wrong (chronyc tracking, timedatectl), then run this again.",
        )
