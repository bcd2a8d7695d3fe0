"""The book of releases: what is pinned, recorded, decided and closed. The ledger is the truth, and the lock."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar, cast

from gatewright.core.assurance import Assurance
from gatewright.core.break_glass import Emergency
from gatewright.core.decision import Decision
from gatewright.core.errors import ConflictError
from gatewright.core.ledger import LedgerEntry, LedgerKind, open_release, state_of
from gatewright.core.records import Record
from gatewright.core.refs import Candidate
from gatewright.core.releases import EvidenceRoot, Opening, ReleaseData, ReleaseState
from gatewright.core.statements import Approval, Request, missing_approvals
from gatewright.services.blobs import BlobStore
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.release_records import ReleaseRecords

__all__ = ["GATES_MAY_TAKE", "Releases"]

R = TypeVar("R", bound=Record)

# The gates run in minutes; a release that has not even asked for approval after this is dead.
GATES_MAY_TAKE = timedelta(hours=12)


class Releases(ReleaseRecords):
    """Opens, records and closes releases of all models.

    Everything is create-only: when two runs of one release record the same stage, the first stands and the
    second reads it. So a run that was killed is continued by any new run with the same release id.
    """

    def __init__(
        self, evidence: EvidenceStore, ledger: LedgerStore, blobs: BlobStore, now: Callable[[], datetime]
    ) -> None:
        super().__init__(evidence, ledger, blobs)
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
        """Append an approval to the ledger unless the release has it already; a rejection ends the release."""
        evidence = self._evidence.read("request", opening.release_id, Request).evidence_root
        digests = {"approval": approval.digest, "request": approval.request, "evidence": evidence}
        who, why, surely = approval.principal, approval.reason, approval.assurance
        if approval.decision == "reject":
            self.close(opening, ReleaseState.REJECTED, who, digests=digests, note=why, assurance=surely)
        else:
            self.note(opening, "approved", who, digests=digests, note=why, assurance=surely)

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

    def close(
        self,
        opening: Opening,
        state: ReleaseState,
        actor: str,
        *,
        digests: dict[str, str] | None = None,
        note: str = "",
        assurance: Assurance | None = None,
    ) -> ReleaseState | None:
        """End a release that is open; the state that stands, which is another when it had ended already."""
        entry = self._entry(opening, cast(LedgerKind, state.value), actor, digests or {}, note)
        entry = entry.model_copy(update={"assurance": assurance})

        def ending(entries: list[LedgerEntry]) -> LedgerEntry | None:
            current = state_of(opening.release_id, entries)
            return None if current is None or current.final else entry

        self._ledger.extend(opening.model, ending)
        return self.state(opening)

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

    def verify(self, opening: Opening, candidate: Candidate, data: ReleaseData, request: Request) -> None:
        """As `verify_evidence`. Raises ConflictError when the release has ended."""
        self.must_be_open(opening)
        self.verify_evidence(opening, candidate, data, request)

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


def _same_event(known: LedgerEntry, entry: LedgerEntry) -> bool:
    return known.model_copy(update={"at": entry.at}) == entry
