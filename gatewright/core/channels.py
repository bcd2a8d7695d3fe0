"""Legal pointer moves. A channel is a chain of generations; its head is the model that serves."""

from typing import Literal

from gatewright.core.records import Record, Sha256, Timestamp

__all__ = ["ChannelEntry", "previous_deployed"]


class ChannelEntry(Record):
    """One move to the model of ``release_id``, made by ``operation`` (a release or rollback id).

    ``model_sha256`` None means that nothing serves (the way back from a failed first release).

    ``deploy`` and ``rollback`` are intents; ``confirm`` repeats the intent's model once the target reports
    that it serves it; ``revert`` puts the model before the intent back.
    """

    action: Literal["deploy", "rollback", "confirm", "revert"]
    release_id: str
    model_sha256: Sha256 | None
    actor: str
    reason: str
    operation: str
    at: Timestamp


def previous_deployed(history: list[ChannelEntry]) -> ChannelEntry | None:
    """The confirmed deployment before the one that serves now, skipping moves of the same model."""
    confirmed = [entry for entry in history if entry.action == "confirm"]
    if not confirmed:
        return None
    now = confirmed[-1].model_sha256
    return next((entry for entry in reversed(confirmed) if entry.model_sha256 != now), None)
