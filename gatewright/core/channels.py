"""Legal pointer moves. A channel is a chain of generations; its head is the model that serves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from gatewright.core.approval import CLOCK_SKEW
from gatewright.core.records import Record, Sha256, Timestamp, canonical_json

__all__ = [
    "ChannelEntry",
    "Served",
    "ServedAt",
    "follows_in_time",
    "periods",
    "previous_deployed",
    "seal_message",
    "serving_at",
    "standing",
]


class ChannelEntry(Record):
    """One move to the model of ``release_id``, made by ``operation`` (a release or rollback id).

    ``model_sha256`` None means that nothing serves (the way back from a failed first release).

    ``deploy`` and ``rollback`` are intents; ``confirm`` repeats the intent's model once the target reports
    that it serves it; ``revert`` puts the model before the intent back.

    ``evidence_root`` is that of the release which made the model: so the seal covers the threshold and the allowlist it
    is served with. ``seal`` is the pipeline's signature over `seal_message`, base64 of the SSHSIG blob.
    """

    action: Literal["deploy", "rollback", "confirm", "revert"]
    release_id: str
    model_sha256: Sha256 | None
    evidence_root: Sha256 | None = None
    actor: str
    reason: str
    operation: str
    at: Timestamp
    seal: str | None = None


class ServedAt(NamedTuple):
    """What a channel says of one moment.

    ``settled`` is the last move that was confirmed or put back, None when there was none: nothing served. While a move
    is ``under_way`` the target may have answered with its model already, and nobody has recorded from when on.
    """

    settled: ChannelEntry | None
    under_way: ChannelEntry | None


class Served(NamedTuple):
    """The model of ``release_id`` served from ``since`` to ``until``, None while it does.

    ``ended``: by the release that followed, or taken back; None while it serves.
    """

    release_id: str
    since: datetime
    until: datetime | None
    ended: Literal["release", "rollback"] | None


def seal_message(entry: ChannelEntry, model: str, channel: str, n: int) -> bytes:
    """What a seal signs: the move, and where it stands, so that it counts as no other generation's or channel's."""
    move = entry.model_dump(mode="json", exclude={"seal"})
    return canonical_json({"kind": "channel-seal", "model": model, "channel": channel, "n": n, "entry": move})


def follows_in_time(entry: ChannelEntry, before: ChannelEntry | None) -> bool:
    """Whether ``entry`` is not older than the move before it, but for the skew of clocks (two minutes).

    A stolen key that was revoked cannot be used with an earlier date once anything has moved after its revocation.
    """
    return before is None or entry.at >= before.at - CLOCK_SKEW


def standing(history: Sequence[ChannelEntry]) -> ChannelEntry | None:
    """The last move that is settled: confirmed, or put back. None when none ever was."""
    return next((entry for entry in reversed(history) if entry.action in ("confirm", "revert")), None)


def serving_at(history: Sequence[ChannelEntry], at: datetime) -> ServedAt:
    """What served at ``at``. Only what was confirmed or put back counts as told by the target.

    The moves count in the channel's order up to the last one that is not younger: clocks may differ a little, the
    numbers of the moves cannot.
    """
    until = next((n for n in range(len(history), 0, -1) if history[n - 1].at <= at), 0)
    moves = history[:until]
    settled = standing(moves)
    under_way = moves[-1] if moves and moves[-1] is not settled else None
    return ServedAt(settled, under_way)


def periods(history: Sequence[ChannelEntry]) -> list[Served]:
    """What served from when to when, the oldest first, by the moves that are settled."""
    rollbacks = {entry.operation for entry in history if entry.action == "rollback"}
    served: list[Served] = []
    model: str | None = None
    for entry in history:
        if entry.action not in ("confirm", "revert") or entry.model_sha256 == model:
            continue
        if model is not None:
            taken = entry.action == "revert" or entry.operation in rollbacks
            served[-1] = served[-1]._replace(until=entry.at, ended="rollback" if taken else "release")
        model = entry.model_sha256
        if model is not None:
            served.append(Served(entry.release_id, entry.at, None, None))
    return served


def previous_deployed(history: Sequence[ChannelEntry]) -> ChannelEntry | None:
    """Where one step back leads from what serves now; None when there is no earlier deployment.

    A deployment that is not confirmed yet is undone first. Going back twice goes two models back: the model
    that a rollback left is never "previous".
    """
    line = _line(history)
    if line and history[-1].action == "deploy" and history[-1].model_sha256 != line[-1].model_sha256:
        return line[-1]
    return line[-2] if len(line) > 1 else None


def _line(history: Sequence[ChannelEntry]) -> list[ChannelEntry]:
    """The confirmed deployments that lead to the present one, without those that a rollback left."""
    line: list[ChannelEntry] = []
    rollbacks = {entry.operation for entry in history if entry.action == "rollback"}
    for entry in history:
        if entry.action != "confirm":
            continue
        known = [index for index, earlier in enumerate(line) if earlier.model_sha256 == entry.model_sha256]
        returns = known and (entry.operation in rollbacks or known[-1] == len(line) - 1)
        line = [*(line[: known[-1]] if returns else line), entry]
    return line
