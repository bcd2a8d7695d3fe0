"""The steps of an audit that are about one release: evidence, decision, approvals, and what was served."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from gatewright.core.approval import quorum, verify
from gatewright.core.audit import Finding, must_be_attested, same_decision
from gatewright.core.break_glass import Emergency, break_glass_allows
from gatewright.core.channels import ChannelEntry
from gatewright.core.decision import Decision, decide
from gatewright.core.errors import ApprovalError, IntegrityError
from gatewright.core.governed import ROSTER_NAME, DocumentKind
from gatewright.core.judging import judge
from gatewright.core.ledger import LedgerEntry, LedgerKind
from gatewright.core.refs import ArtifactRef, Candidate
from gatewright.core.release_facts import facts_of
from gatewright.core.releases import EvidenceRoot, Opening, ReleaseData
from gatewright.core.roster import Roster
from gatewright.core.statements import Approval, Request
from gatewright.core.waivers import require_waivers
from gatewright.services.audit.model import ModelAudit
from gatewright.services.audit.store import AuditedStore, counted, step
from gatewright.services.reports.escape import plain
from gatewright.services.terms import require_terms_in_force

__all__ = ["ReleaseAudit"]

_REMEDY = "stop and investigate who changed the store; compare with a backup and with an exported bundle."


class ReleaseAudit:
    """One release against the ledger, the policy and the roster of its time, and the channel."""

    def __init__(self, store: AuditedStore, release_id: str, model: ModelAudit) -> None:
        self._store = store
        self._release_id = release_id
        self._model = model
        self._where = f"release {release_id}"

    def findings(self) -> list[Finding]:
        """Every step, whatever came of the one before."""
        self._store.records.read_ahead(f"releases/{self._release_id}/")
        steps = {
            "evidence": self._evidence,
            "bytes": self._bytes,
            "terms in force": self._terms,
            "decision": self._decision,
            "approvals": self._approvals,
            "exceptions": self._exceptions,
            "promotion": self._promotion,
        }
        return [step(check, self._where, prove) for check, prove in steps.items()]

    @cached_property
    def _opening(self) -> Opening:
        return self._store.releases.opening(self._release_id)

    @cached_property
    def _candidate(self) -> Candidate:
        return self._store.evidence.read("candidate", self._release_id, Candidate)

    @cached_property
    def _request(self) -> Request:
        return self._store.evidence.read("request", self._release_id, Request)

    def _came_to(self, kind: LedgerKind) -> bool:
        """Whether the release got so far. One that moved the channel must have come to everything before that."""
        return self._intent is not None or any(entry.kind == kind for entry in self._events)

    @cached_property
    def _intent(self) -> ChannelEntry | None:
        """The move that put it into production; None when it never got there."""
        ours = (move for move in self._model.moves if move.operation == self._release_id and move.action == "deploy")
        return next(ours, None)

    @cached_property
    def _events(self) -> list[LedgerEntry]:
        return [entry for entry in self._model.entries if entry.release_id == self._release_id]

    def _evidence(self) -> str:
        """The ledger, the root and the request name exactly the bytes that are in the store."""
        self._attested("opened", "opening", "opening")
        if not self._came_to("decided"):
            return "it has not been decided"
        root = self._store.releases.root(self._opening, self._candidate)
        stored = self._store.evidence.read("root", self._release_id, EvidenceRoot)
        if root != stored:
            changed = sorted({name for name, _ in root.records.items() ^ stored.records.items()})
            raise self._broken(f"records are not those that were decided on: {', '.join(changed) or 'the model'}")
        self._attested("decided", "evidence", "root")
        said = f"{counted(len(root.records), 'record')} with the root {root.digest[:12]} that was decided on"
        if not self._came_to("waiting"):
            return f"{said}; nobody was asked"
        self._attested("waiting", "request", "request")
        self._require_same_terms(self._request, root)
        return f"{said} and asked about"

    def _attested(self, kind: LedgerKind, digest: str, record: str) -> None:
        found = self._store.evidence.digest(record, self._release_id)
        must_be_attested(self._release_id, self._events, {kind: (digest, found)})

    def _require_same_terms(self, request: Request, root: EvidenceRoot) -> None:
        opening, candidate = self._opening, self._candidate
        champion = opening.champion.model_sha256 if opening.champion else None
        wanted = {
            "release": (request.release_id, opening.release_id),
            "model": (request.model, opening.model),
            "evidence": (request.evidence_root, root.digest),
            "environment": (request.environment, self._model.channel),
            "candidate": (request.model_sha256, candidate.artifact.sha256),
            "champion": (request.champion_sha256, champion),
            "policy": (request.policy_sha256, opening.policy.sha256),
            "roster": (request.roster_sha256, opening.roster.sha256),
            "author": (request.author, candidate.author),
            "tier": (request.tier, self._store.releases.policy(opening).named_tier(self._stored_decision.tier)),
            "ledger": (request.ledger_head, self._ledger_digest(request.ledger_entries)),
        }
        other = [name for name, (asked, found) in wanted.items() if asked != found]
        if other:
            raise self._broken(f"what was asked is about another {', '.join(other)}")

    def _ledger_digest(self, n: int) -> str:
        digests = self._store.ledger.digests(self._model.model)
        return digests[n - 1] if 0 < n <= len(digests) else ""

    def _bytes(self) -> str:
        evidence, name, opening = self._store.evidence, self._release_id, self._opening
        refs: set[ArtifactRef] = {opening.spec, opening.policy, opening.roster}
        candidate, data = evidence.find("candidate", name, Candidate), evidence.find("data", name, ReleaseData)
        if candidate is not None:
            refs.add(candidate.artifact)
        if data is not None:
            refs |= {file.artifact for dataset in (data.training, data.evaluation) for file in dataset.files}
        stages = self._store.releases.stages(self._release_id).values()
        refs |= {ref for stage in stages for ref in stage.artifacts.values()}
        self._store.blobs.require(refs)
        size = sum(ref.size for ref in refs)
        return f"model, data, policy and reports: {counted(len(refs), 'file')}, {size:,} bytes with their digests"

    def _terms(self) -> str:
        require_terms_in_force(self._store.governance, self._opening)
        policy = self._pinned("policy", self._opening.model, self._opening.policy)
        return f"{policy}; {self._pinned('roster', ROSTER_NAME, self._opening.roster)}"

    def _pinned(self, kind: DocumentKind, name: str, pinned: ArtifactRef) -> str:
        versions = self._store.governance.history(kind, name)
        found = next(version for version in versions if version.sha256 == pinned.sha256)
        return f"{kind} version {found.version}, {found.entry.assurance} by {found.entry.actor}"

    @cached_property
    def _stored_decision(self) -> Decision:
        return self._store.evidence.read("decision", self._release_id, Decision)

    def _decision(self) -> str:
        """The pinned policy, applied again to the stored measurements, gives the stored decision."""
        if not self._came_to("decided"):
            return "it has not been decided"
        releases, opening = self._store.releases, self._opening
        policy, has_champion = releases.policy(opening), opening.champion is not None
        measured = [(n, m) for n, stage in releases.stages(self._release_id).items() for m in stage.measurements]
        results = judge(policy, measured, has_champion=has_champion)
        before = releases.opening(opening.champion.release_id).policy.sha256 if opening.champion else None
        facts = facts_of(
            releases.spec(opening),
            policy,
            results,
            measured,
            policy_sha256=opening.policy.sha256,
            policy_of_champion_sha256=before,
            has_champion=has_champion,
        )
        stored = self._stored_decision
        again = decide(
            policy,
            results,
            policy_sha256=opening.policy.sha256,
            has_champion=has_champion,
            facts=facts,
            waivers=stored.waivers,
        )
        if not same_decision(stored, again):
            raise self._broken(f"it was decided {stored.outcome}; the measurements and the policy give {again.outcome}")
        words = "the same" if stored == again else "the same, in other words"
        return f"{stored.outcome}, tier {stored.tier}: {counted(len(results), 'result')} computed again, {words}"

    def _approvals(self) -> str:
        if not self._came_to("waiting"):
            return "nobody was asked"
        request, given = self._request, self._store.releases.approvals(self._release_id)
        pinned = self._store.releases.roster(self._opening)
        attested = {d for entry in self._events if entry.kind == "approved" for d in entry.digests.values()}
        for index, approval in enumerate(given):
            if approval.decision == "approve" and approval.digest not in attested:
                raise self._broken(f"the ledger does not have the approval by {approval.principal}")
            verify(
                approval,
                request,
                (pinned, self._store.roster(approval.at)),
                self._store.signatures,
                at=approval.at,
                earlier=given[:index],
            )
        if self._intent is None:
            return f"{counted(len(given), 'answer')}; it was never promoted"
        at = self._intent.at
        before = [approval for approval in given if approval.at <= at]
        rosters = (pinned, self._store.roster(at))
        emergency = self._store.releases.emergency(request)
        if emergency is not None and len(before) < request.tier.approvals:
            return self._glass(emergency, before, rosters, at)
        valid = quorum(before, request, rosters, self._store.signatures, at=at)
        if not valid:
            return f"the tier {request.tier.name} asks for nobody"
        people = "; ".join(
            f"{one.principal} ({one.role}, {one.assurance}) on {one.at:%Y-%m-%d %H:%M}: {plain(one.reason)}"
            for one in valid
        )
        return f"{len(valid)} of {request.tier.approvals} asked for: {people}"

    def _glass(self, emergency: Emergency, before: Sequence[Approval], rosters: Sequence[Roster], at: datetime) -> str:
        """One person in the place of a quorum, unless somebody had rejected."""
        must_be_attested(self._release_id, self._events, {"break_glass": ("emergency", emergency.digest)})
        if any(approval.decision == "reject" for approval in before):
            raise self._broken("the glass was broken over a rejection")
        policy = self._store.releases.policy(self._opening)
        break_glass_allows(emergency, self._request, policy, rosters, self._store.signatures, at=at)
        who = f"{emergency.principal} ({emergency.role}, signed) on {emergency.at:%Y-%m-%d %H:%M}"
        return f"no quorum: {who} broke the glass: {plain(emergency.reason)}"

    def _exceptions(self) -> str:
        """Waivers that the decision rests on, proven as of the promotion; what else was out of the ordinary."""
        if not self._came_to("decided"):
            return "it has not been decided"
        at = self._intent.at if self._intent else self._decided_at
        require_waivers(
            self._stored_decision.waivers,
            self._store.releases.policy(self._opening),
            (self._store.releases.roster(self._opening), self._store.roster(at)),
            self._store.signatures,
            author=self._candidate.author,
            at=at,
        )
        named = [f"{waiver.statement.rule}: {plain(waiver)}" for waiver in self._stored_decision.waivers]
        special = [entry for entry in self._events if entry.kind in ("waived", "break_glass", "break_glass_expired")]
        named += [f"{e.kind} by {e.actor} on {e.at:%Y-%m-%d %H:%M}: {plain(e.note)}" for e in special]
        return "; ".join(named) or "no waiver, no break-glass"

    @cached_property
    def _decided_at(self) -> datetime:
        return next(entry.at for entry in self._events if entry.kind == "decided")

    def _promotion(self) -> str:
        """The model on the channel is the one that was asked about, over the champion it was compared with."""
        if self._intent is None:
            return "it was never promoted"
        index = self._model.moves.index(self._intent)
        if index != self._opening.channel_generation:
            raise self._broken("the channel had moved since it was compared with the champion")
        if self._intent.model_sha256 != self._request.model_sha256:
            raise self._broken("another model was put into production than the one that was asked about")
        if not self._intent.at <= self._request.expires_at:
            raise ApprovalError("it was promoted after its window.", where=self._where, remedy=_REMEDY)
        served = self._confirmed_at()
        if not served:
            return f"model {self._request.model_sha256[:12]} was never confirmed"
        return f"model {self._request.model_sha256[:12]} was confirmed on {', '.join(served)}"

    def _confirmed_at(self) -> list[str]:
        ours = [m for m in self._model.moves if m.action == "confirm" and m.release_id == self._release_id]
        if any(move.model_sha256 != self._request.model_sha256 for move in ours):
            raise self._broken("another model was confirmed under its name")
        return [f"{move.at:%Y-%m-%d %H:%M}" for move in ours]

    def _broken(self, problem: str) -> IntegrityError:
        return IntegrityError(f"{problem}.", where=self._where, remedy=_REMEDY)
