"""The machine that seals moves and signs checkpoints, by the roster of the time."""

from dataclasses import dataclass
from datetime import datetime

from gatewright.core.governed import ROSTER_NAME
from gatewright.core.roster import Roster
from gatewright.services.governance import Governance

__all__ = ["PipelineKeys"]


@dataclass(frozen=True)
class PipelineKeys:
    """The pipeline's public keys at a moment."""

    governance: Governance

    def at(self, at: datetime) -> tuple[str, ...]:
        """Those that counted at this moment. Raises IntegrityError, StoreError."""
        roster = self._roster(at)
        return roster.machine_keys("pipeline", at) if roster else ()

    def named(self, at: datetime) -> bool:
        """Whether the roster of this moment names a pipeline at all."""
        roster = self._roster(at)
        return roster is not None and any(machine.role == "pipeline" for machine in roster.machines)

    def _roster(self, at: datetime) -> Roster | None:
        versions = self.governance.history("roster", ROSTER_NAME)
        # What is older than the first roster is held against that one: a date in the past must not free a move.
        first = next(iter(versions), None)
        found = next((version for version in reversed(versions) if version.at <= at), first)
        return found.roster if found else None
