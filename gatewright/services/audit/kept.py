"""The checkpoints that an audit holds the chains against: one that somebody kept, and those of a directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewright.core.audit import Finding, UnprovenError
from gatewright.core.checkpoints import Checkpoint
from gatewright.core.errors import IntegrityError
from gatewright.services.checkpoints import CheckpointReader

__all__ = ["Checkpoints"]


@dataclass(frozen=True)
class Checkpoints:
    """Where they lie. A file counts for the chain it names; `unused` says when that one was not looked at."""

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

    def unused(self, findings: Sequence[Finding]) -> list[Finding]:
        """That the file is of a chain which was not looked at: nobody must think it was compared."""
        if self.file is None:
            return []
        try:
            log = Checkpoint.from_bytes(self.file.read_bytes(), where=str(self.file)).log
        except (OSError, IntegrityError):
            return []  # each chain has said so already
        if any(finding.subject == f"chain {log}" for finding in findings):
            return []
        detail = f"{self.file} is of another chain than those that were looked at"
        remedy = "verify the model it is of, or name a checkpoint of this one."
        return [Finding(check="checkpoint", subject=f"chain {log}", status="unproven", detail=detail, remedy=remedy)]
