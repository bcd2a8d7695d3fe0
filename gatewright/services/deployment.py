"""Move a channel and wait until the target serves what it says, or put the channel back."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import TargetError
from gatewright.services.channel_store import ChannelStore
from gatewright.services.targets.base import Target

__all__ = ["Deployment"]


class Deployment:
    """One channel and the target that follows it.

    ``serve`` and ``put_back`` may be called again after a crash: they find their own moves by the intent's
    ``operation`` and go on from there.
    """

    def __init__(self, channels: ChannelStore, target: Target, channel: str, now: Callable[[], datetime]) -> None:
        self._channels = channels
        self._target = target
        self._channel = channel
        self._now = now

    def serve(self, model: str, intent: ChannelEntry, *, expected: int, timeout_seconds: float) -> None:
        """Move the channel to ``intent``, wait for the target, confirm.

        Raises ConflictError when the channel has moved since ``expected``; TargetError, after the channel
        was put back, when the target does not report the digest in time.
        """
        generation, entry = self._move(model, intent, expected)
        if entry.action == "confirm":
            return
        if entry.action == "revert":
            raise TargetError(entry.reason, where=self._channel, remedy="start again when the target is well.")
        try:
            self._target.wait_until_serving(intent.model_sha256, timeout_seconds=timeout_seconds)
        except TargetError as error:
            self.put_back(model, intent.operation, str(error))
            raise
        self._channels.move(model, self._channel, self._after(intent, "confirm"), expected=generation)

    def put_back(self, model: str, operation: str, reason: str) -> bool:
        """Undo an unconfirmed move of ``operation`` at the head; False when there is none."""
        history = self._channels.history(model, self._channel)
        if not history or not _is_unconfirmed(history[-1][1], operation):
            return False
        generation, intent = history[-1]
        before = history[-2][1] if len(history) > 1 else intent.model_copy(update={"model_sha256": None})
        back = self._after(intent, "revert").model_copy(
            update={"reason": reason, "model_sha256": before.model_sha256, "release_id": before.release_id}
        )
        self._channels.move(model, self._channel, back, expected=generation)
        return True

    def _move(self, model: str, intent: ChannelEntry, expected: int) -> tuple[int, ChannelEntry]:
        head = self._channels.head(model, self._channel)
        if head is not None and head[0] > expected and head[1].operation == intent.operation:
            return head
        return self._channels.move(model, self._channel, intent, expected=expected), intent

    def _after(self, intent: ChannelEntry, action: Literal["confirm", "revert"]) -> ChannelEntry:
        return intent.model_copy(update={"action": action, "at": self._now()})


def _is_unconfirmed(entry: ChannelEntry, operation: str) -> bool:
    return entry.operation == operation and entry.action in ("deploy", "rollback")
