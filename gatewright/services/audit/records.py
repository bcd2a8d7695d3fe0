"""What a release left in the store, in the ledger and on the channel, read as an audit needs it."""

from datetime import datetime
from functools import cached_property

from gatewright.core.channels import ChannelEntry
from gatewright.core.decision import Decision
from gatewright.core.errors import IntegrityError
from gatewright.core.ledger import LedgerEntry, LedgerKind
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening
from gatewright.core.statements import Request
from gatewright.services.audit.model import ModelAudit
from gatewright.services.audit.store import AuditedStore

__all__ = ["ReleaseRecords"]

_REMEDY = "stop and investigate who changed the store; compare with a backup and with an exported bundle."


class ReleaseRecords:
    """One release, read when asked for. Raises NotFoundError, IntegrityError, StoreError for what is not there."""

    def __init__(self, store: AuditedStore, release_id: str, model: ModelAudit) -> None:
        self.store = store
        self.release_id = release_id
        self.model = model
        self.where = f"release {release_id}"

    @cached_property
    def opening(self) -> Opening:
        return self.store.releases.opening(self.release_id)

    @cached_property
    def candidate(self) -> Candidate:
        return self.store.evidence.read("candidate", self.release_id, Candidate)

    @cached_property
    def request(self) -> Request:
        return self.store.evidence.read("request", self.release_id, Request)

    def came_to(self, kind: LedgerKind) -> bool:
        """Whether the release got so far. One that moved the channel must have come to everything before that."""
        return self.intent is not None or any(entry.kind == kind for entry in self.events)

    @cached_property
    def intent(self) -> ChannelEntry | None:
        """The move that put it into production; None when it never got there."""
        ours = (move for move in self.model.moves if move.operation == self.release_id and move.action == "deploy")
        return next(ours, None)

    @cached_property
    def events(self) -> list[LedgerEntry]:
        return [entry for entry in self.model.entries if entry.release_id == self.release_id]

    @cached_property
    def decision(self) -> Decision:
        return self.store.evidence.read("decision", self.release_id, Decision)

    @cached_property
    def decided_at(self) -> datetime:
        return next(entry.at for entry in self.events if entry.kind == "decided")

    def broken(self, problem: str) -> IntegrityError:
        return IntegrityError(f"{problem}.", where=self.where, remedy=_REMEDY)
