"""The checkpoints that an audit holds the chains against: one that somebody kept, and those of a directory."""

from dataclasses import dataclass
from pathlib import Path

from gatewright.core.audit import UnprovenError
from gatewright.core.checkpoints import Checkpoint
from gatewright.services.checkpoints import CheckpointReader

__all__ = ["Checkpoints"]


@dataclass(frozen=True)
class Checkpoints:
    """Where they lie. A file counts for the chain it names; it must be one of those that are looked at."""

    directory: Path | None = None
    file: Path | None = None

    def of(self, log: str, reader: CheckpointReader) -> list[Checkpoint]:
        """All of one chain, each proven. Raises UnprovenError when there is none, and as `CheckpointReader.read`."""
        found = reader.all(self.directory, log) if self.directory else []
        if self.file is not None:
            given = reader.read(self.file)
            found += [given] if given.log == log else []
        if not found:
            raise UnprovenError(
                "no checkpoint of it was kept, so nothing shows that its end was not cut off.",
                where=str(self.file or self.directory or "GATEWRIGHT_CHECKPOINTS"),
                remedy="keep checkpoints outside the store, and name one with --checkpoint.",
            )
        return found
