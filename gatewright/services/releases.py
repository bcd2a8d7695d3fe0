"""The book of releases: what is pinned, recorded, decided and closed. The ledger is the truth, and the lock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from gatewright.core.approval import Approval, Request
from gatewright.core.decision import Decision
from gatewright.core.errors import ConflictError, IntegrityError
from gatewright.core.ledger import LedgerEntry, LedgerKind, open_release, state_of
from gatewright.core.policy import Policy
from gatewright.core.records import Record
from gatewright.core.refs import Candidate
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import STAGES, EvidenceRoot, Opening, ReleaseData, ReleaseState
from gatewright.core.results import StageEvidence
from gatewright.core.roster import Roster
from gatewright.core.spec import ModelSpec
from gatewright.services.blobs import BlobStore
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.ledger_store import LedgerStore

__all__ = ["AnswerRecord", "Releases"]

R = TypeVar("R", bound=Record)

# What the approved digest covers; what comes later (answers, reports) is made from it.
_ROOTED = {"opening", "data", "candidate", "decision", *STAGES}
# The gates run in minutes; a release that has not even asked for approval after this is dead.
GATES_MAY_TAKE = timedelta(hours=12)


class AnswerRecord(Record):
    """One answer to the approval form and what became of it: an approval, or the reason it was refused."""

    approval: Approval | None
    refusal: str | None


class Releases:
    """Opens, records, reads and closes releases of all models.

    Everything is create-only: when two runs of one release record the same stage, the first stands and the
    second reads it. So a run that was killed is continued by any new run with the same release id.
    """

    def __init__(
        self, evidence: EvidenceStore, ledger: LedgerStore, blobs: BlobStore, now: Callable[[], datetime]
    ) -> None:
        self._evidence = evidence
        self._ledger = ledger
        self._blobs = blobs
        self._now = now

    def open(self, opening: Opening) -> Opening:
        """Open a release, or take over one with this id that has not ended.

        Raises ConflictError while another release of the model is open, or when this one has ended.
        """
        entries = self._ledger.entries(opening.model)
        unfinished = open_release(entries)
        if unfinished is not None and unfinished != opening.release_id:
            self._must_have_expired(opening.model, unfinished)
            return self.open(opening)
        state = state_of(opening.release_id, entries)
        if state is not None and state.final:
            raise ConflictError(
                f"the release has ended as {state.value}.",
                where=f"release {opening.release_id}",
                remedy="start a new one; an ended release is never continued.",
            )
        stored = self._first("opening", opening.release_id, opening)
        if unfinished is None:
            entry = self._entry(stored, "opened", stored.requested_by, {"opening": stored.digest})
            self._ledger.append_at(stored.model, entry, expected=len(entries))
        return stored

    def record(self, name: str, opening: Opening, record: R) -> R:
        """Record something of a release once; a second writer gets what the first wrote."""
        return self._first(name, opening.release_id, record)

    def note(
        self, opening: Opening, kind: LedgerKind, actor: str, *, digests: dict[str, str] | None = None, note: str = ""
    ) -> None:
        """Append an event to the ledger unless the release has it already."""
        entries = self._ledger.entries(opening.model)
        entry = self._entry(opening, kind, actor, digests or {}, note)
        if not any(_same_event(known, entry) for known in entries):
            self._ledger.append(opening.model, entry)

    def close(self, opening: Opening, state: ReleaseState, actor: str, *, note: str = "") -> None:
        """End a release. Does nothing when it has ended already."""
        current = self.state(opening)
        if current is not None and not current.final:
            self._ledger.append(opening.model, self._entry(opening, state.value, actor, {}, note))  # type: ignore[arg-type]

    def state(self, opening: Opening) -> ReleaseState | None:
        return state_of(opening.release_id, self._ledger.entries(opening.model))

    def expired(self, opening: Opening) -> bool:
        """Whether its window, or the time the gates may take, is over."""
        request = self._evidence.find("request", opening.release_id, Request)
        return self._now() > (request.expires_at if request else opening.expires_at)

    def expire_overdue(self, model: str) -> list[str]:
        """Close releases whose window is over: a suspended run executes nothing at its time-out."""
        unfinished = open_release(self._ledger.entries(model))
        if unfinished is None:
            return []
        opening = self.opening(unfinished)
        if not self.expired(opening):
            return []
        self.close(opening, ReleaseState.EXPIRED, "gatewright", note="the window to approve is over")
        return [unfinished]

    def opening(self, release_id: str) -> Opening:
        """Raises NotFoundError for an unknown release."""
        return self._evidence.read("opening", release_id, Opening)

    def spec(self, opening: Opening) -> ModelSpec:
        return ModelSpec.from_bytes(self._blobs.get(opening.spec), where=f"spec of {opening.release_id}")

    def policy(self, opening: Opening) -> Policy:
        return Policy.from_bytes(self._blobs.get(opening.policy), where=f"policy of {opening.release_id}")

    def roster(self, opening: Opening) -> Roster:
        return Roster.from_bytes(self._blobs.get(opening.roster), where=f"roster of {opening.release_id}")

    def stages(self, release_id: str) -> dict[str, StageEvidence]:
        found = {name: self._evidence.find(name, release_id, StageEvidence) for name in STAGES}
        return {name: stage for name, stage in found.items() if stage is not None}

    def root(self, opening: Opening, candidate: Candidate) -> EvidenceRoot:
        """The digests of all records of a release, from their bytes in the store now."""
        names = [name for name in self._evidence.names(opening.release_id) if name in _ROOTED]
        return EvidenceRoot(
            release_id=opening.release_id,
            records={name: self._evidence.digest(name, opening.release_id) for name in names},
            model_sha256=candidate.artifact.sha256,
        )

    def verify(self, opening: Opening, candidate: Candidate, data: ReleaseData, request: Request) -> None:
        """Recompute every digest from the bytes in the store.

        Raises IntegrityError when anything differs from what was approved.
        """
        stored = self.opening(opening.release_id)
        found = self.root(stored, candidate).digest
        if found != request.evidence_root or candidate.artifact.sha256 != request.model_sha256:
            raise IntegrityError(
                f"the evidence has digest {found[:12]}, approved was {request.evidence_root[:12]}.",
                where=f"release {opening.release_id}",
                remedy="find out who changed the store; start a new release.",
            )
        if stored.policy.sha256 != request.policy_sha256:
            raise IntegrityError(
                "the policy is not the one that was approved.",
                where=f"release {opening.release_id}",
                remedy="start a new release.",
            )
        files = [file.artifact for dataset in (data.training, data.evaluation) for file in dataset.files]
        evidence = [ref for stage in self.stages(opening.release_id).values() for ref in stage.artifacts.values()]
        for ref in (candidate.artifact, stored.spec, stored.policy, stored.roster, *files, *evidence):
            self._blobs.get(ref)

    def view(self, release_id: str) -> ReleaseView:
        """All that is known of a release. Raises NotFoundError for an unknown one."""
        opening = self.opening(release_id)
        entries = tuple(e for e in self._ledger.entries(opening.model) if e.release_id == release_id)
        root = self._evidence.find("root", release_id, EvidenceRoot)
        return ReleaseView(
            opening=opening,
            spec=self.spec(opening),
            policy=self.policy(opening),
            state=state_of(release_id, entries) or ReleaseState.OPEN,
            data=self._evidence.find("data", release_id, ReleaseData),
            candidate=self._evidence.find("candidate", release_id, Candidate),
            decision=self._evidence.find("decision", release_id, Decision),
            stages=self.stages(release_id),
            evidence_root=root.digest if root else None,
            request=self._evidence.find("request", release_id, Request),
            approvals=self.approvals(release_id),
            events=entries,
        )

    def answers(self, release_id: str) -> list[AnswerRecord]:
        """The answers so far, in the order they were given."""
        names = self._evidence.names(release_id)
        numbers = sorted(int(name.removeprefix("answer-")) for name in names if name.startswith("answer-"))
        return [self._evidence.read(f"answer-{number}", release_id, AnswerRecord) for number in numbers]

    def approvals(self, release_id: str) -> tuple[Approval, ...]:
        return tuple(answer.approval for answer in self.answers(release_id) if answer.approval is not None)

    def _must_have_expired(self, model: str, unfinished: str) -> None:
        if not self.expire_overdue(model):
            raise ConflictError(
                f"release {unfinished} has not ended.",
                where=f"model {model}",
                remedy="approve, reject or wait for it; `gatewright abandon` ends a release whose run has died.",
            )

    def _first(self, name: str, release_id: str, record: R) -> R:
        try:
            self._evidence.write(name, release_id, record)
        except ConflictError:
            return self._evidence.read(name, release_id, type(record))
        return record

    def _entry(
        self, opening: Opening, kind: LedgerKind, actor: str, digests: dict[str, str], note: str = ""
    ) -> LedgerEntry:
        return LedgerEntry(
            kind=kind, release_id=opening.release_id, actor=actor, at=self._now(), digests=digests, note=note
        )


def _same_event(known: LedgerEntry, entry: LedgerEntry) -> bool:
    return known.model_copy(update={"at": entry.at}) == entry
