"""Put an earlier deployed model back: the same pointer move as a promotion, to a model that was confirmed before."""

from collections.abc import Callable, Sequence
from datetime import datetime

from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import ConflictError, IntegrityError
from gatewright.core.in_force import InForce
from gatewright.core.ledger import LedgerEntry
from gatewright.core.refs import Candidate
from gatewright.core.rollback_order import RollbackClaim, RollbackOrder, claim_of
from gatewright.core.rollback_proof import AcceptedRollback, accept_rollback
from gatewright.core.signatures import SignatureVerifier
from gatewright.core.standing import role_of
from gatewright.core.way_back import way_back
from gatewright.services.blobs import BlobStore
from gatewright.services.channel_store import ChannelStore
from gatewright.services.deployment import Deployment
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.rollback_records import RollbackRecords

__all__ = ["Rollbacks"]


class Rollbacks:
    """Carries out rollbacks of one channel."""

    def __init__(
        self,
        channels: ChannelStore,
        channel: str,
        deployment: Deployment,
        evidence: EvidenceStore,
        blobs: BlobStore,
        ledger: LedgerStore,
        now: Callable[[], datetime],
        records: RollbackRecords,
        signatures: SignatureVerifier,
    ) -> None:
        self._channels = channels
        self._channel = channel
        self._deployment = deployment
        self._evidence = evidence
        self._blobs = blobs
        self._ledger = ledger
        self._now = now
        self._records = records
        self._signatures = signatures

    def carry_out(self, order: RollbackOrder, policy: InForce, roster: InForce) -> ChannelEntry:
        """Move the channel back and note it, once however often it is called; the confirmation.

        Raises ApprovalError for an order that does not count, NotFoundError when there is no such deployment,
        ConflictError when its name is spent, IntegrityError when its model is not what was deployed, TargetError when
        the target does not serve the model in time (the channel is then back where it was).
        """
        claim = claim_of(order)
        history = self._channels.history(order.model, self._channel)
        moves = [entry for _, entry in history]
        begun = _begun(moves, claim.operation)
        intent, accepted = (
            self._taken_over(begun, claim, policy, roster) if begun else self._begin(claim, moves, policy, roster)
        )
        served = self._serve(claim.model, intent, len(moves), policy.policy.serving_timeout_seconds)
        self._note(claim.model, served, accepted)
        return served

    def _begin(
        self, claim: RollbackClaim, moves: Sequence[ChannelEntry], policy: InForce, roster: InForce
    ) -> tuple[ChannelEntry, AcceptedRollback]:
        """Record who may and why, then say where the channel is to go; both as of one moment."""
        at = self._now()
        way = way_back(moves, claim.model, self._channel, claim.to_release)
        accepted = accept_rollback(claim, way, policy, roster, self._signatures, at=at)
        self._require_artifact(way.goal)
        accepted = self._records.add(accepted)
        return _intent(accepted, way.goal, at), accepted

    def _taken_over(
        self, begun: ChannelEntry, claim: RollbackClaim, policy: InForce, roster: InForce
    ) -> tuple[ChannelEntry, AcceptedRollback | None]:
        """What was begun was accepted; it is seen through under the name of whoever began it, by somebody who may."""
        role_of(claim.principal, policy.policy.rollback_roles, (roster.roster,), self._now())
        self._require_artifact(begun)
        return begun, self._records.find(claim.model, self._channel, claim.operation)

    def _serve(self, model: str, intent: ChannelEntry, expected: int, timeout: float) -> ChannelEntry:
        try:
            return self._deployment.serve(model, intent, expected=expected, timeout_seconds=timeout)
        except Exception as error:
            # Who is told that it failed must not see it happen a moment later.
            served = self._deployment.settle(model, intent.operation, expected=expected, reason=str(error))
            if served is None:
                raise
            return served

    def _require_artifact(self, earlier: ChannelEntry) -> None:
        """The model's bytes are still there, and they are the ones that were deployed then."""
        candidate = self._evidence.read("candidate", earlier.release_id, Candidate)
        if candidate.artifact.sha256 != earlier.model_sha256:
            raise IntegrityError(
                "the candidate in the store is not the model that was deployed.",
                where=f"release {earlier.release_id}",
                remedy="find out who changed the store; roll back to another release.",
            )
        self._blobs.get(candidate.artifact)

    def _note(self, model: str, served: ChannelEntry, accepted: AcceptedRollback | None) -> None:
        # The digest of the confirmation tells two rollbacks apart that are alike in all else.
        digests = {"move": served.digest} | ({"model": served.model_sha256} if served.model_sha256 else {})
        entry = LedgerEntry(
            kind="rolled_back",
            release_id=served.release_id,
            actor=served.actor,
            at=self._now(),
            digests=digests | ({"rollback": accepted.digest} if accepted else {}),
            note=served.reason,
            assurance=accepted.assurance if accepted else None,
        )
        self._ledger.extend(model, lambda known: None if any(_noted(served, one) for one in known) else entry)


def _intent(accepted: AcceptedRollback, goal: ChannelEntry, at: datetime) -> ChannelEntry:
    return ChannelEntry(
        action="rollback",
        release_id=goal.release_id,
        model_sha256=goal.model_sha256,
        evidence_root=goal.evidence_root,
        actor=accepted.principal,
        reason=accepted.reason,
        at=at,
        operation=accepted.operation,
    )


def _noted(served: ChannelEntry, entry: LedgerEntry) -> bool:
    return entry.kind == "rolled_back" and entry.digests.get("move") == served.digest


def _begun(moves: Sequence[ChannelEntry], operation: str) -> ChannelEntry | None:
    """Where this order has led already, before its run died. Raises ConflictError when its name is spent.

    An order moves the channel once: whoever has it, with its token, cannot make it happen again.
    """
    ours = [move for move in moves if move.operation == operation]
    if not ours:
        return None
    goes_on = ours[-1].action == "confirm" or (ours[-1].action == "rollback" and moves[-1] is ours[-1])
    if ours[0].action != "rollback" or not goes_on:
        raise ConflictError(
            "this name is spent: the channel was moved under it before.",
            where=f"rollback {operation}",
            remedy="look at `gatewright history`; start a new one, without its rollback_id.",
        )
    return ours[0]
