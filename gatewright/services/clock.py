"""The only place that asks what time it is; everything else is told."""

from datetime import UTC, datetime

__all__ = ["utc_now"]


def utc_now() -> datetime:
    """The time now, with its zone."""
    return datetime.now(UTC)
