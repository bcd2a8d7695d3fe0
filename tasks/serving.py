"""Move a channel and wait until the target serves what it says, or put the channel back."""

from prefect.logging import get_run_logger

from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import TargetError
from gatewright.wiring import Services

__all__ = ["make_it_serve"]


def make_it_serve(
    services: Services, model: str, intent: ChannelEntry, *, expected: int, timeout_seconds: float
) -> None:
    """Move the channel to ``intent``, wait for the target, confirm.

    A second run that finds its own intent at the head continues there. Raises ConflictError when the
    channel has moved since ``expected``; TargetError, after the channel was put back, when the target does
    not report the digest in time.
    """
    channel = services.settings.channel
    head = services.channels.head(model, channel)
    if head is not None and head[0] > expected and head[1].operation == intent.operation:
        generation, entry = head
        if entry.action == "confirm":
            return
        if entry.action == "revert":
            raise TargetError(entry.reason, where=channel, remedy="start a new release when the target is well.")
    else:
        generation = services.channels.move(model, channel, intent, expected=expected)
    digest = intent.model_sha256 or ""
    try:
        get_run_logger().info("channel %s moved to %s; waiting for the target", channel, digest[:12])
        services.target.wait_until_serving(digest, timeout_seconds=timeout_seconds)
    except TargetError as error:
        _put_back(services, model, intent, generation, expected, str(error))
        raise
    services.channels.move(model, channel, _after(services, intent, "confirm"), expected=generation)


def _put_back(
    services: Services, model: str, intent: ChannelEntry, generation: int, expected: int, reason: str
) -> None:
    history = dict(services.channels.history(model, services.settings.channel))
    before = history.get(expected)
    back = _after(services, intent, "revert").model_copy(
        update={
            "reason": reason,
            "model_sha256": before.model_sha256 if before else None,
            "release_id": before.release_id if before else intent.release_id,
        }
    )
    get_run_logger().error("the target does not serve the model; the channel goes back: %s", reason)
    services.channels.move(model, services.settings.channel, back, expected=generation)


def _after(services: Services, intent: ChannelEntry, action: str) -> ChannelEntry:
    return intent.model_copy(update={"action": action, "at": services.now()})
