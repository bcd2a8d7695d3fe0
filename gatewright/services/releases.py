"""The book of releases: what is pinned, recorded, decided and closed. The ledger is the truth, and the lock."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar, cast

from gatewright.core.assurance import Assurance
from gatewright.core.break_glass import Emergency
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
from gatewright.core.statements import Approval, Request, missing_approvals
from gatewright.services.blobs import BlobStore
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.ledger_store import LedgerStore

__all__ = ["AnswerRecord", "Releases"]

R = TypeVar("R", bound=Record)

# What the approved digest covers; what comes later (answers, reports) is made from it.
_ROOTED = {"opening", "data", "candidate", "decision", *STAGES}
_ANSWER = re.compile(r"answer-(\d+)", re.ASCII)
# The gates run in minutes; a release that has not even asked for approval after this is dead.
GATES_MAY_TAKE = timedelta(hours=12)


class AnswerRecord(Record):
    """One answer to the approval form and what became of it: an approval, an emergency, or why it was refused."""

    approval: Approval | None
    refusal: str | None
    emergency: Emergency | None = None


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
        if open_release(self._ledger.entries(opening.model)) != opening.release_id:
            self.expire_overdue(opening.model)
        self._ledger.extend(opening.model, lambda entries: self._opened(opening, entries))
        return self.opening(opening.release_id)

    def record(self, name: str, opening: Opening, record: R) -> R:
        """Record something of a release once; a second writer gets what the first wrote."""
        return self._first(name, opening.release_id, record)

    def ask(self, opening: Opening, candidate: Candidate, decision: Decision, *, environment: str) -> Request:
        """Write down, once, what people are asked to approve: exactly these digests, within this window."""
        policy, roster = self.policy(opening), self.roster(opening)
        tier = policy.named_tier(decision.tier)
        entries, head = self._ledger.head(opening.model)
        now = self._now()
        request = Request(
            release_id=opening.release_id,
            environment=environment,
            model=opening.model,
            evidence_root=self._evidence.read("root", opening.release_id, EvidenceRoot).digest,
            model_sha256=candidate.artifact.sha256,
            champion_sha256=opening.champion.model_sha256 if opening.champion else None,
            policy_sha256=opening.policy.sha256,
            policy_version=policy.version,
            roster_sha256=opening.roster.sha256,
            roster_version=roster.version,
            ledger_entries=entries,
            ledger_head=head,
            nonce=secrets.token_hex(32),
            tier=tier,
            author=candidate.author,
            asked_at=now,
            expires_at=now + timedelta(hours=tier.window_hours),
        )
        request = self.record("request", opening, request)
        self.note(opening, "waiting", "gatewright", digests={"request": request.digest})
        return request

    def note_approval(self, opening: Opening, approval: Approval) -> None:
        """Append an approval to the ledger unless the release has it already."""
        evidence = self._evidence.read("request", opening.release_id, Request).evidence_root
        digests = {"approval": approval.digest, "request": approval.request, "evidence": evidence}
        self.note(
            opening, "approved", approval.principal, digests=digests, note=approval.reason, assurance=approval.assurance
        )

    def note_emergency(self, opening: Opening, emergency: Emergency) -> None:
        """Append a break-glass to the ledger unless the release has it already."""
        digests = {"emergency": emergency.digest, "request": emergency.request}
        note = f"until {emergency.expires.isoformat()}: {emergency.reason}"
        self.note(opening, "break_glass", emergency.principal, digests=digests, note=note, assurance="signed")

    def note(
        self,
        opening: Opening,
        kind: LedgerKind,
        actor: str,
        *,
        digests: dict[str, str] | None = None,
        note: str = "",
        assurance: Assurance | None = None,
    ) -> None:
        """Append an event to the ledger unless the release has it already."""
        entry = self._entry(opening, kind, actor, digests or {}, note).model_copy(update={"assurance": assurance})
        self._ledger.extend(
            opening.model, lambda entries: None if any(_same_event(known, entry) for known in entries) else entry
        )

    def close(self, opening: Opening, state: ReleaseState, actor: str, *, note: str = "") -> ReleaseState | None:
        """End a release that is open; the state that stands, which is another when it had ended already."""
        entry = self._entry(opening, cast(LedgerKind, state.value), actor, {}, note)

        def ending(entries: list[LedgerEntry]) -> LedgerEntry | None:
            current = state_of(opening.release_id, entries)
            return None if current is None or current.final else entry

        self._ledger.extend(opening.model, ending)
        return self.state(opening)

    def state(self, opening: Opening) -> ReleaseState | None:
        return state_of(opening.release_id, self._ledger.entries(opening.model))

    def must_be_open(self, opening: Opening) -> None:
        """Raises ConflictError when the release has ended, whoever ended it."""
        state = self.state(opening)
        if state is None or state.final:
            raise _ended(opening.release_id, state)

    def expired(self, opening: Opening) -> bool:
        """Whether its window, or the time the gates may take, is over.

        Never once it is approved: it may be on its way into production, and only its run or a person can tell.
        """
        request = self._evidence.find("request", opening.release_id, Request)
        if request is None:
            return self._now() > opening.expires_at
        return self._now() > request.expires_at and not self._approved(request)

    def approved(self, opening: Opening) -> bool:
        """Whether enough people have approved it, or one broke the glass; before, no run of it can move the channel."""
        request = self._evidence.find("request", opening.release_id, Request)
        return request is not None and self._approved(request)

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
        """Recompute every digest from the bytes in the store, and compare with what the ledger says was approved.

        Raises IntegrityError when anything differs, ConflictError when the release has ended.
        """
        self.must_be_open(opening)
        self.verify_evidence(opening, candidate, data, request)

    def verify_evidence(self, opening: Opening, candidate: Candidate, data: ReleaseData, request: Request) -> None:
        """The same of a release that may have ended. Raises IntegrityError when anything differs."""
        root = self.root(opening, candidate)
        found = root.digest
        if found != request.evidence_root or candidate.artifact.sha256 != request.model_sha256:
            raise _changed(opening, f"the evidence has digest {found[:12]}, approved was {request.evidence_root[:12]}")
        given: dict[str, Record] = {"opening": opening, "candidate": candidate, "data": data}
        given |= {"root": root, "request": request}
        for name, record in given.items():
            if self._evidence.digest(name, opening.release_id) != record.digest:
                raise _changed(opening, f"`{name}` in the store is not the one that is being promoted")
        if opening.policy.sha256 != request.policy_sha256:
            raise _changed(opening, "the policy is not the one that was approved")
        self._must_be_attested(opening, request)
        files = [file.artifact for dataset in (data.training, data.evaluation) for file in dataset.files]
        evidence = [ref for stage in self.stages(opening.release_id).values() for ref in stage.artifacts.values()]
        for ref in (candidate.artifact, opening.spec, opening.policy, opening.roster, *files, *evidence):
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
        found = (_ANSWER.fullmatch(name) for name in self._evidence.names(release_id))
        numbers = sorted(int(match[1]) for match in found if match)
        return [self._evidence.read(f"answer-{number}", release_id, AnswerRecord) for number in numbers]

    def approvals(self, release_id: str) -> tuple[Approval, ...]:
        return tuple(answer.approval for answer in self.answers(release_id) if answer.approval is not None)

    def emergency(self, request: Request) -> Emergency | None:
        """The break-glass of exactly this request, if somebody used it."""
        found = (answer.emergency for answer in self.answers(request.release_id))
        return next((one for one in found if one is not None and one.request == request.digest), None)

    def decision(self, opening: Opening) -> Decision:
        """Raises NotFoundError before it was decided."""
        return self._evidence.read("decision", opening.release_id, Decision)

    def _opened(self, opening: Opening, entries: list[LedgerEntry]) -> LedgerEntry | None:
        unfinished = open_release(entries)
        if unfinished == opening.release_id:
            return None
        state = state_of(opening.release_id, entries)
        if state is not None:
            raise _ended(opening.release_id, state)
        if unfinished is not None:
            raise ConflictError(
                f"release {unfinished} has not ended.",
                where=f"model {opening.model}",
                remedy="approve, reject or wait for it; `gatewright abandon` ends a release whose run has died.",
            )
        # Written by a run that died before it got here, it holds; the ledger is what opens a release.
        stored = self._first("opening", opening.release_id, opening)
        if stored.model != opening.model:
            raise ConflictError(
                f"it is a release of {stored.model}.",
                where=f"release {opening.release_id}",
                remedy="choose another release id.",
            )
        digests = {"opening": stored.digest, "policy": stored.policy.sha256, "roster": stored.roster.sha256}
        return self._entry(stored, "opened", stored.requested_by, digests)

    def _approved(self, request: Request) -> bool:
        enough = missing_approvals(self.approvals(request.release_id), request) == 0
        return enough or self.emergency(request) is not None

    def _must_be_attested(self, opening: Opening, request: Request) -> None:
        """The ledger is hash-chained, so what it says cannot be edited as a single record can."""
        entries = [e for e in self._ledger.entries(opening.model) if e.release_id == opening.release_id]
        wanted = {("opened", opening.digest), ("decided", request.evidence_root), ("waiting", request.digest)}
        approvals = self.approvals(opening.release_id)
        wanted |= {("approved", approval.digest) for approval in approvals if approval.decision == "approve"}
        emergency = self.emergency(request)
        wanted |= {("break_glass", emergency.digest)} if emergency else set()
        missing = wanted - {(entry.kind, digest) for entry in entries for digest in entry.digests.values()}
        if missing:
            kinds = ", ".join(sorted({kind for kind, _ in missing}))
            raise _changed(opening, f"the ledger says something else was {kinds}")

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


def _ended(release_id: str, state: ReleaseState | None) -> ConflictError:
    return ConflictError(
        f"the release has ended as {state.value}." if state else "the release was never opened.",
        where=f"release {release_id}",
        remedy="start a new one; an ended release is never continued.",
    )


def _changed(opening: Opening, problem: str) -> IntegrityError:
    return IntegrityError(
        f"{problem}.",
        where=f"release {opening.release_id}",
        remedy="find out who changed the store; start a new release.",
    )


def _same_event(known: LedgerEntry, entry: LedgerEntry) -> bool:
    return known.model_copy(update={"at": entry.at}) == entry
