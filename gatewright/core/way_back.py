"""From where to where a rollback would move a channel, by its moves so far."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gatewright.core.channels import ChannelEntry, previous_deployed, standing
from gatewright.core.errors import NotFoundError

__all__ = ["WayBack", "way_back"]


class WayBack(NamedTuple):
    """``generation`` is the number of the last move, made at ``moved_at``; ``serves`` the digest of the model that
    served then. ``goal`` confirmed what is to serve again; ``one_step``: it is what one step back leads to."""

    model: str
    environment: str
    generation: int
    moved_at: datetime
    serves: str | None
    goal: ChannelEntry
    one_step: bool


def way_back(moves: Sequence[ChannelEntry], model: str, environment: str, to_release: str | None = None) -> WayBack:
    """The way to ``to_release``, or one step back. Raises NotFoundError where nothing was confirmed.

    ``environment`` is the channel whose ``moves`` these are, the oldest first.
    """
    previous = previous_deployed(moves)
    goal = previous if to_release is None else _confirmed(moves, to_release)
    if goal is None or goal.model_sha256 is None:
        what = (
            f"release `{to_release[:63]}` was never deployed" if to_release else "no earlier deployment to go back to"
        )
        raise NotFoundError(
            f"{what}.", where=f"model {model}", remedy="choose one that `gatewright history` lists as confirmed."
        )
    stands = standing(moves)
    return WayBack(
        model=model,
        environment=environment,
        generation=len(moves),
        moved_at=moves[-1].at,
        serves=stands.model_sha256 if stands else None,
        goal=goal,
        one_step=previous is not None and _same(previous, goal),
    )


def _confirmed(moves: Sequence[ChannelEntry], release_id: str) -> ChannelEntry | None:
    ours = [move for move in moves if move.action == "confirm" and move.release_id == release_id]
    return ours[-1] if ours else None


def _same(one: ChannelEntry, other: ChannelEntry) -> bool:
    return (one.release_id, one.model_sha256) == (other.release_id, other.model_sha256)
