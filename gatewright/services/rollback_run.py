"""Start a rollback where Prefect runs it, and follow it in the channel until the model serves or it has failed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gatewright.core.channels import ChannelEntry
from gatewright.core.rollback_order import RollbackOrder
from gatewright.services.channel_store import ChannelStore
from gatewright.services.prefect_api import PrefectApi, RunState

__all__ = ["DEPLOYMENT", "RollbackRun"]

DEPLOYMENT = "rollback/rollback"
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class RollbackRun:
    """One run of the rollback deployment. The channel says what serves; Prefect only whether the run still tries."""

    prefect: PrefectApi
    channels: ChannelStore
    channel: str
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def start(self, order: RollbackOrder) -> str:
        """Start it; the id of the run. Raises ServerError."""
        given = order.model_dump(exclude={"operation"}, exclude_none=True)
        return self.prefect.start(DEPLOYMENT, {**given, "rollback_id": order.operation})

    def follow(self, run_id: str, order: RollbackOrder, *, seconds: float) -> Iterator[RunState | ChannelEntry]:
        """Each new state of the run and each move of the order, as they come; ends with either, or after ``seconds``.

        The run's state is read before the channel: a run that is over has made its last move. Raises ServerError.
        """
        deadline, told, seen = self.clock() + seconds, "", 0
        while True:
            state = self.prefect.state(run_id)
            moves = self._moves(order)
            if state.name != told:
                told = state.name
                yield state
            yield from moves[seen:]
            seen = len(moves)
            settled = any(move.action in ("confirm", "revert") for move in moves)
            if settled or state.over or self.clock() >= deadline:
                return
            self.pause(_POLL_SECONDS)

    def _moves(self, order: RollbackOrder) -> list[ChannelEntry]:
        history = self.channels.history(order.model, self.channel)
        return [entry for _, entry in history if entry.operation == order.operation]
