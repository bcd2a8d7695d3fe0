"""Move a channel and wait until the target serves what it says, or put the channel back."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from gatewright.core.channels import ChannelEntry, standing
from gatewright.core.errors import ConflictError, StoreError, TargetError
from gatewright.core.signatures import Signer
from gatewright.services.channel_seals import sealed
from gatewright.services.channel_store import ChannelStore
from gatewright.services.targets.base import Target

__all__ = ["Deployment"]

_TRIES = 20


class Deployment:
    """One channel and the target that follows it. ``signer`` seals every move.

    ``serve``, ``put_back`` and ``settle`` may be called again after a crash: they find their own moves by the intent's
    ``operation`` and go on from there. Whoever gives an operation up calls ``settle``, since a write whose reply was
    lost may still be on its way.
    """

    def __init__(
        self,
        channels: ChannelStore,
        target: Target,
        channel: str,
        now: Callable[[], datetime],
        signer: Signer | None = None,
    ) -> None:
        self._channels = channels
        self._target = target
        self._channel = channel
        self._now = now
        self._signer = signer

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
        ours = self._own_head(model, intent.operation) or self._own_confirmation(model, intent.operation)
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

    def require_possible(self, model: str, operation: str, *, expected: int) -> None:
        """Raises ConflictError when somebody else has moved the channel since ``expected``: `serve` could only fail."""
        history = self._channels.history(model, self._channel)
        moved = bool(history) and history[-1][0] != expected
        if moved and not any(entry.operation == operation for _, entry in history):
            last = history[-1][1]
            raise ConflictError(
                f"{last.operation} has moved the channel since the champion of {operation} was read.",
                where=f"channel {model}/{self._channel}",
                remedy="start another release: it is compared with the model that serves now.",
            )

    def put_back(self, model: str, operation: str, reason: str) -> bool:
        """Undo an unconfirmed move of ``operation`` at the head; False when there is none (any more)."""
        history = self._channels.history(model, self._channel)
        if not history or history[-1][1].operation != operation or not _is_intent(history[-1][1]):
            return False
        return self._revert(model, history, operation, reason)

    def settle(self, model: str, operation: str, *, expected: int, reason: str) -> ChannelEntry | None:
        """The confirmation of ``operation``; or None, and then it is undone for good.

        Where nobody has moved since ``expected``, a move that changes nothing takes the place that a write of this
        operation could still land in. Raises StoreError when the outcome cannot be told: then nothing is settled.
        """
        for _ in range(_TRIES):
            history = self._channels.history(model, self._channel)
            last = next((entry for _, entry in reversed(history) if entry.operation == operation), None)
            if last is not None and last.action == "confirm":
                return last
            number = history[-1][0] if history else 0
            pending = last is not None and _is_intent(last) and history[-1][1] is last
            if not (pending or number == expected) or self._revert(model, history, operation, reason):
                return None
        raise StoreError(
            f"{operation} could not be settled: others were first {_TRIES} times.",
            where=f"channel {model}/{self._channel}",
            remedy="find out who moves this channel all the time.",
        )

    def _revert(self, model: str, history: Sequence[tuple[int, ChannelEntry]], operation: str, reason: str) -> bool:
        """Follow the head by what stood before; False when somebody has moved on from it, and theirs stands."""
        # Not simply the move before: that may itself be an intent that was never confirmed.
        before = standing([entry for _, entry in history])
        back = ChannelEntry(
            action="revert",
            release_id=before.release_id if before else operation,
            model_sha256=before.model_sha256 if before else None,
            evidence_root=before.evidence_root if before else None,
            actor=history[-1][1].actor if history and history[-1][1].operation == operation else "gatewright",
            reason=reason,
            operation=operation,
            at=self._now(),
        )
        try:
            self._append(model, back, history[-1][0] if history else 0)
        except ConflictError:
            return False
        return True

    def _move(self, model: str, entry: ChannelEntry, expected: int) -> tuple[int, ChannelEntry]:
        """Move; or, when this operation has gone on in another process, what it did there."""
        try:
            return self._append(model, entry, expected)
        except ConflictError:
            ours = self._own_head(model, entry.operation)
            if ours is None:
                raise
            return ours

    def _append(self, model: str, entry: ChannelEntry, expected: int) -> tuple[int, ChannelEntry]:
        entry = sealed(entry, self._signer, model, self._channel, expected + 1)
        return self._channels.move(model, self._channel, entry, expected=expected), entry

    def _own_head(self, model: str, operation: str) -> tuple[int, ChannelEntry] | None:
        head = self._channels.head(model, self._channel)
        return head if head is not None and head[1].operation == operation else None

    def _own_confirmation(self, model: str, operation: str) -> tuple[int, ChannelEntry] | None:
        """What was served once stays served, also when somebody has moved on since."""
        history = self._channels.history(model, self._channel)
        ours = [move for move in history if move[1].operation == operation and move[1].action == "confirm"]
        return ours[-1] if ours else None

    def _after(self, intent: ChannelEntry, action: Literal["confirm"]) -> ChannelEntry:
        return intent.model_copy(update={"action": action, "at": self._now()})


def _is_intent(entry: ChannelEntry) -> bool:
    return entry.action in ("deploy", "rollback")
