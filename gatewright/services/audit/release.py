"""The steps of an audit that are about one release: evidence, decision, promotion, attestation."""

from collections.abc import Callable
from functools import partial

from gatewright.core.audit import Finding, must_be_attested, same_decision
from gatewright.core.errors import ApprovalError
from gatewright.core.governed import ROSTER_NAME, DocumentKind
from gatewright.core.ledger import LedgerKind
from gatewright.core.refs import ArtifactRef, Candidate
from gatewright.core.releases import EvidenceRoot, ReleaseData
from gatewright.core.statements import Request
from gatewright.services.audit.attested import attestation
from gatewright.services.audit.model import ModelAudit
from gatewright.services.audit.people import approvals, exceptions
from gatewright.services.audit.records import ReleaseRecords
from gatewright.services.audit.store import AuditedStore, counted, step
from gatewright.services.terms import require_terms_in_force

__all__ = ["ReleaseAudit"]

_REMEDY = "stop and investigate who changed the store; compare with a backup and with an exported bundle."


class ReleaseAudit:
    """One release against the ledger, the policy and the roster of its time, and the channel."""

    def __init__(self, store: AuditedStore, release_id: str, model: ModelAudit) -> None:
        self._of = ReleaseRecords(store, release_id, model)

    def findings(self) -> list[Finding]:
        """Every step, whatever came of the one before."""
        self._of.store.records.read_ahead(f"releases/{self._of.release_id}/")
        steps: dict[str, Callable[[], str]] = {
            "evidence": self._evidence,
            "bytes": self._bytes,
            "terms in force": self._terms,
            "decision": self._decision,
            "approvals": partial(approvals, self._of),
            "exceptions": partial(exceptions, self._of),
            "promotion": self._promotion,
            "attestation": partial(attestation, self._of),
        }
        return [step(check, self._of.where, prove) for check, prove in steps.items()]

    def _evidence(self) -> str:
        """The ledger, the root and the request name exactly the bytes that are in the store."""
        self._attested("opened", "opening", "opening")
        if not self._of.came_to("decided"):
            return "it has not been decided"
        root = self._of.store.releases.root(self._of.opening, self._of.candidate)
        stored = self._of.store.evidence.read("root", self._of.release_id, EvidenceRoot)
        if root != stored:
            changed = sorted({name for name, _ in root.records.items() ^ stored.records.items()})
            raise self._of.broken(f"records are not those that were decided on: {', '.join(changed) or 'the model'}")
        self._attested("decided", "evidence", "root")
        said = f"{counted(len(root.records), 'record')} with the root {root.digest[:12]} that was decided on"
        if not self._of.came_to("waiting"):
            return f"{said}; nobody was asked"
        self._attested("waiting", "request", "request")
        self._require_same_terms(self._of.request, root)
        return f"{said} and asked about"

    def _attested(self, kind: LedgerKind, digest: str, record: str) -> None:
        found = self._of.store.evidence.digest(record, self._of.release_id)
        must_be_attested(self._of.release_id, self._of.events, {kind: (digest, found)})

    def _require_same_terms(self, request: Request, root: EvidenceRoot) -> None:
        opening, candidate = self._of.opening, self._of.candidate
        champion = opening.champion.model_sha256 if opening.champion else None
        wanted = {
            "release": (request.release_id, opening.release_id),
            "model": (request.model, opening.model),
            "evidence": (request.evidence_root, root.digest),
            "environment": (request.environment, self._of.model.channel),
            "candidate": (request.model_sha256, candidate.artifact.sha256),
            "champion": (request.champion_sha256, champion),
            "policy": (request.policy_sha256, opening.policy.sha256),
            "roster": (request.roster_sha256, opening.roster.sha256),
            "author": (request.author, candidate.author),
            "tier": (request.tier, self._of.store.releases.policy(opening).named_tier(self._of.decision.tier)),
            "ledger": (request.ledger_head, self._ledger_digest(request.ledger_entries)),
        }
        other = [name for name, (asked, found) in wanted.items() if asked != found]
        if other:
            raise self._of.broken(f"what was asked is about another {', '.join(other)}")

    def _ledger_digest(self, n: int) -> str:
        digests = self._of.store.ledger.digests(self._of.model.model)
        return digests[n - 1] if 0 < n <= len(digests) else ""

    def _bytes(self) -> str:
        evidence, name, opening = self._of.store.evidence, self._of.release_id, self._of.opening
        refs: set[ArtifactRef] = {opening.spec, opening.policy, opening.roster}
        candidate, data = evidence.find("candidate", name, Candidate), evidence.find("data", name, ReleaseData)
        if candidate is not None:
            refs.add(candidate.artifact)
        if data is not None:
            refs |= {file.artifact for dataset in (data.training, data.evaluation) for file in dataset.files}
        stages = self._of.store.releases.stages(self._of.release_id).values()
        refs |= {ref for stage in stages for ref in stage.artifacts.values()}
        self._of.store.blobs.require(refs)
        size = sum(ref.size for ref in refs)
        return f"model, data, policy and reports: {counted(len(refs), 'file')}, {size:,} bytes with their digests"

    def _terms(self) -> str:
        require_terms_in_force(self._of.store.governance, self._of.opening)
        policy = self._pinned("policy", self._of.opening.model, self._of.opening.policy)
        return f"{policy}; {self._pinned('roster', ROSTER_NAME, self._of.opening.roster)}"

    def _pinned(self, kind: DocumentKind, name: str, pinned: ArtifactRef) -> str:
        versions = self._of.store.governance.history(kind, name)
        found = next(version for version in versions if version.sha256 == pinned.sha256)
        return f"{kind} version {found.version}, {found.entry.assurance} by {found.entry.actor}"

    def _decision(self) -> str:
        """The pinned policy, applied again to the stored measurements, gives the stored decision."""
        if not self._of.came_to("decided"):
            return "it has not been decided"
        stored = self._of.decision
        again = self._of.store.releases.computed_decision(self._of.opening, stored.waivers)
        if not same_decision(stored, again):
            gives = f"the measurements and the policy give {again.outcome}, tier {again.tier}"
            raise self._of.broken(f"it was decided {stored.outcome}, tier {stored.tier}; {gives}")
        words = "the same" if stored == again else "the same, in other words"
        return f"{stored.outcome}, tier {stored.tier}: {counted(len(again.results), 'result')} computed again, {words}"

    def _promotion(self) -> str:
        """The model on the channel is the one that was asked about, over the champion it was compared with."""
        if self._of.intent is None:
            return "it was never promoted"
        index = self._of.model.moves.index(self._of.intent)
        if index != self._of.opening.channel_generation:
            raise self._of.broken("the channel had moved since it was compared with the champion")
        if self._of.intent.model_sha256 != self._of.request.model_sha256:
            raise self._of.broken("another model was put into production than the one that was asked about")
        if not self._of.intent.at <= self._of.request.expires_at:
            raise ApprovalError("it was promoted after its window.", where=self._of.where, remedy=_REMEDY)
        served = self._confirmed_at()
        if not served:
            return f"model {self._of.request.model_sha256[:12]} was never confirmed"
        return f"model {self._of.request.model_sha256[:12]} was confirmed on {', '.join(served)}"

    def _confirmed_at(self) -> list[str]:
        ours = [m for m in self._of.model.moves if m.action == "confirm" and m.release_id == self._of.release_id]
        if any(move.model_sha256 != self._of.request.model_sha256 for move in ours):
            raise self._of.broken("another model was confirmed under its name")
        return [f"{move.at:%Y-%m-%d %H:%M}" for move in ours]
