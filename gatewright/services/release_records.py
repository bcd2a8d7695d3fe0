"""What is recorded of a release, read and verified. Nothing is written here."""

import re
from collections.abc import Sequence
from itertools import takewhile

from gatewright.core.break_glass import Emergency
from gatewright.core.decision import Decision, decide
from gatewright.core.errors import IntegrityError
from gatewright.core.judging import judge
from gatewright.core.ledger import LedgerEntry, state_of
from gatewright.core.policy import Policy
from gatewright.core.records import Record
from gatewright.core.refs import Candidate
from gatewright.core.release_facts import facts_of
from gatewright.core.release_view import EarlierRelease, ReleaseView
from gatewright.core.releases import STAGES, EvidenceRoot, Opening, ReleaseData, ReleaseState
from gatewright.core.results import StageEvidence
from gatewright.core.roster import Roster
from gatewright.core.spec import ModelSpec
from gatewright.core.statements import Approval, Request
from gatewright.core.waivers import Waiver
from gatewright.services.blobs import BlobStore
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.ledger_store import LedgerStore

__all__ = ["AnswerRecord", "ReleaseRecords"]

# What the approved digest covers; what comes later (answers, reports) is made from it.
_ROOTED = {"opening", "data", "candidate", "decision", *STAGES}
# What trends are drawn of.
TREND_STAGES = ("evaluate", "fairness", "drift")
_ANSWER = re.compile(r"answer-(\d+)", re.ASCII)


class AnswerRecord(Record):
    """One answer to the approval form and what became of it: an approval, an emergency, or why it was refused."""

    approval: Approval | None
    refusal: str | None
    emergency: Emergency | None = None


class ReleaseRecords:
    """The records of releases of all models."""

    def __init__(self, evidence: EvidenceStore, ledger: LedgerStore, blobs: BlobStore) -> None:
        self._evidence = evidence
        self._ledger = ledger
        self._blobs = blobs

    def state(self, opening: Opening) -> ReleaseState | None:
        return state_of(opening.release_id, self._ledger.entries(opening.model))

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

    def verify_evidence(self, opening: Opening, candidate: Candidate, data: ReleaseData, request: Request) -> None:
        """Recompute every digest from the bytes in the store, and compare with what the ledger says was approved.

        Raises IntegrityError when anything differs.
        """
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

    def view(self, release_id: str, *, earlier: int = 0) -> ReleaseView:
        """All that is known of a release, and what up to ``earlier`` releases before it measured.

        Raises NotFoundError for an unknown one.
        """
        opening = self.opening(release_id)
        known = self._ledger.entries(opening.model)
        entries = tuple(e for e in known if e.release_id == release_id)
        root = self._evidence.find("root", release_id, EvidenceRoot)
        return ReleaseView(
            opening=opening,
            spec=self.spec(opening),
            policy=self.policy(opening),
            state=state_of(release_id, entries) or ReleaseState.OPEN,
            roster=self.roster(opening),
            data=self._evidence.find("data", release_id, ReleaseData),
            candidate=self._evidence.find("candidate", release_id, Candidate),
            decision=self._evidence.find("decision", release_id, Decision),
            stages=self.stages(release_id),
            evidence_root=root.digest if root else None,
            request=self._evidence.find("request", release_id, Request),
            approvals=self.approvals(release_id),
            events=entries,
            earlier=self._earlier(release_id, known, earlier),
        )

    def _earlier(self, release_id: str, entries: Sequence[LedgerEntry], count: int) -> tuple[EarlierRelease, ...]:
        """The last ``count`` releases that had been decided when ``release_id`` was opened, as the ledger has them."""
        before = list(takewhile(lambda e: (e.kind, e.release_id) != ("opened", release_id), entries))
        decided = list(dict.fromkeys(e.release_id for e in before if e.kind == "decided"))
        return tuple(self._measured_before(name, before) for name in decided[max(0, len(decided) - count) :])

    def _measured_before(self, release_id: str, entries: Sequence[LedgerEntry]) -> EarlierRelease:
        found = {name: self._evidence.find(name, release_id, StageEvidence) for name in TREND_STAGES}
        return EarlierRelease(
            release_id=release_id,
            period=self.opening(release_id).period,
            state=state_of(release_id, entries) or ReleaseState.OPEN,
            stages={name: stage for name, stage in found.items() if stage is not None},
        )

    def answers(self, release_id: str) -> list[AnswerRecord]:
        """The answers so far, in the order they were given."""
        found = (_ANSWER.fullmatch(name) for name in self._evidence.names(release_id, beginning="answer-"))
        numbers = sorted(int(match[1]) for match in found if match)
        return [self._evidence.read(f"answer-{number}", release_id, AnswerRecord) for number in numbers]

    def approvals(self, release_id: str) -> tuple[Approval, ...]:
        return tuple(answer.approval for answer in self.answers(release_id) if answer.approval is not None)

    def emergency(self, request: Request) -> Emergency | None:
        """The break-glass of exactly this request, if somebody used it."""
        found = (answer.emergency for answer in self.answers(request.release_id))
        return next((one for one in found if one is not None and one.request == request.digest), None)

    def computed_decision(self, opening: Opening, waivers: Sequence[Waiver]) -> Decision:
        """What the pinned policy decides on the stored evidence: the gates ask once, an audit asks again."""
        policy, champion = self.policy(opening), opening.champion
        measured = [(n, m) for n, stage in self.stages(opening.release_id).items() for m in stage.measurements]
        has_champion = champion is not None
        results = judge(policy, measured, has_champion=has_champion)
        facts = facts_of(
            self.spec(opening),
            policy,
            results,
            measured,
            policy_sha256=opening.policy.sha256,
            policy_of_champion_sha256=self.opening(champion.release_id).policy.sha256 if champion else None,
            has_champion=has_champion,
        )
        return decide(
            policy,
            results,
            policy_sha256=opening.policy.sha256,
            has_champion=has_champion,
            facts=facts,
            waivers=waivers,
        )

    def decision(self, opening: Opening) -> Decision:
        """Raises NotFoundError before it was decided."""
        return self._evidence.read("decision", opening.release_id, Decision)

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


def _changed(opening: Opening, problem: str) -> IntegrityError:
    return IntegrityError(
        f"{problem}.",
        where=f"release {opening.release_id}",
        remedy="find out who changed the store; start a new release.",
    )
