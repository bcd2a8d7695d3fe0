"""The port to whatever serves a model. A release is deployed only when its target reports the model's digest."""

import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["Target"]


class Target(Protocol):
    """Something that follows a channel and can say which model it serves."""

    def serving(self) -> str | None:
        """SHA-256 of the model that answers requests now, None when none does. Raises TargetError."""
        ...

    def wait_until_serving(
        self,
        model_sha256: str | None,
        *,
        timeout_seconds: float,
        poll_seconds: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Return once ``model_sha256`` serves (None: once nothing does).

        Raises TargetError, saying what serves instead, when ``timeout_seconds`` are over.
        """
        ...
