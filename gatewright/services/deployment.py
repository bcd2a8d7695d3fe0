"""Move a channel and wait until the target serves what it says, or put the channel back."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from gatewright.core.channels import ChannelEntry, standing
from gatewright.core.errors import ConflictError, TargetError
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

    def serve(
        self,
        model: str,
        intent: ChannelEntry,
        *,
        expected: int,
        timeout_seconds: float,
        check: Callable[[], None] = lambda: None,
    ) -> ChannelEntry:
        """Move the channel to ``intent``, wait for the target, confirm; the confirmation.

        ``check`` is called while the intent stands, so that whoever ends the release meanwhile is either seen
        by it or sees the intent; what it raises puts the channel back too. Raises ConflictError when the
        channel has moved since ``expected``; TargetError, after the channel was put back, when the target
        does not report the digest in time.
        """
        ours = self._own_head(model, intent.operation)
        generation, entry = ours or self._move(model, intent, expected)
        if _is_intent(entry):
            try:
                check()
                self._target.wait_until_serving(entry.model_sha256, timeout_seconds=timeout_seconds)
            except Exception as error:
                self.put_back(model, intent.operation, str(error))
                raise
            _, entry = self._move(model, self._after(entry, "confirm"), generation)
        if entry.action != "confirm":
            raise TargetError(
                f"the channel was put back: {entry.reason}",
                where=f"channel {model}/{self._channel}",
                remedy="start again when the target is well.",
            )
        return entry

    def put_back(self, model: str, operation: str, reason: str) -> bool:
        """Undo an unconfirmed move of ``operation`` at the head; False when there is none (any more)."""
        history = self._channels.history(model, self._channel)
        if not history or history[-1][1].operation != operation or not _is_intent(history[-1][1]):
            return False
        generation, intent = history[-1]
        # Not simply the move before: that may itself be an intent that was never confirmed.
        before = standing([entry for _, entry in history])
        back = self._after(intent, "revert").model_copy(
            update={
                "reason": reason,
                "model_sha256": before.model_sha256 if before else None,
                "release_id": before.release_id if before else intent.release_id,
            }
        )
        try:
            self._channels.move(model, self._channel, back, expected=generation)
        except ConflictError:  # somebody has moved on from it, and theirs stands
            return False
        return True

    def _move(self, model: str, entry: ChannelEntry, expected: int) -> tuple[int, ChannelEntry]:
        """Move; or, when this operation has gone on in another process, what it did there."""
        try:
            return self._channels.move(model, self._channel, entry, expected=expected), entry
        except ConflictError:
            ours = self._own_head(model, entry.operation)
            if ours is None:
                raise
            return ours

    def _own_head(self, model: str, operation: str) -> tuple[int, ChannelEntry] | None:
        head = self._channels.head(model, self._channel)
        return head if head is not None and head[1].operation == operation else None

    def _after(self, intent: ChannelEntry, action: Literal["confirm", "revert"]) -> ChannelEntry:
        return intent.model_copy(update={"action": action, "at": self._now()})


def _is_intent(entry: ChannelEntry) -> bool:
    return entry.action in ("deploy", "rollback")
