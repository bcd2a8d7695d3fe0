"""Put an earlier deployed model back: the same pointer move as a promotion, to a model that was confirmed before."""

from collections.abc import Callable, Sequence
from datetime import datetime

from gatewright.core.channels import ChannelEntry, previous_deployed
from gatewright.core.errors import ApprovalError, IntegrityError, NotFoundError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.policy import Policy
from gatewright.core.records import Record
from gatewright.core.refs import ArtifactRef, Candidate
from gatewright.core.roster import Roster
from gatewright.services.blobs import BlobStore
from gatewright.services.channel_store import ChannelStore
from gatewright.services.deployment import Deployment
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.ledger_store import LedgerStore

__all__ = ["RollbackOrder", "Rollbacks", "destination"]


class RollbackOrder(Record):
    """What somebody asks: one step back, or ``to_release``.

    ``operation`` names the order: repeated after a crash, it is carried out once.
    """

    model: str
    to_release: str | None
    actor: str
    reason: str
    operation: str


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
    ) -> None:
        self._channels = channels
        self._channel = channel
        self._deployment = deployment
        self._evidence = evidence
        self._blobs = blobs
        self._ledger = ledger
        self._now = now

    def carry_out(self, order: RollbackOrder, policy: Policy, roster: Roster) -> ChannelEntry:
        """Move the channel back and note it, once however often it is called; the confirmation.

        Raises ApprovalError for an actor who may not do so, NotFoundError when there is no such deployment,
        IntegrityError when its model is not what was deployed, TargetError when the target does not serve the model
        in time (the channel is then back where it was).
        """
        _may_roll_back(order.actor, policy, roster, self._now())
        history = self._channels.history(order.model, self._channel)
        moves = [entry for _, entry in history]
        earlier = _begun(moves, order) or destination(moves, order.model, order.to_release)
        served = self._serve(order, earlier, history[-1][0], policy.serving_timeout_seconds)
        self._note(order.model, served)
        return served

    def _serve(self, order: RollbackOrder, earlier: ChannelEntry, expected: int, timeout: float) -> ChannelEntry:
        intent = self._intent(order, earlier, self._artifact(earlier))
        try:
            return self._deployment.serve(order.model, intent, expected=expected, timeout_seconds=timeout)
        except Exception as error:
            # Who is told that it failed must not see it happen a moment later.
            served = self._deployment.settle(order.model, order.operation, expected=expected, reason=str(error))
            if served is None:
                raise
            return served

    def _artifact(self, earlier: ChannelEntry) -> ArtifactRef:
        """The model's bytes are still there, and they are the ones that were deployed then."""
        candidate = self._evidence.read("candidate", earlier.release_id, Candidate)
        if candidate.artifact.sha256 != earlier.model_sha256:
            raise IntegrityError(
                "the candidate in the store is not the model that was deployed.",
                where=f"release {earlier.release_id}",
                remedy="find out who changed the store; roll back to another release.",
            )
        self._blobs.get(candidate.artifact)
        return candidate.artifact

    def _intent(self, order: RollbackOrder, earlier: ChannelEntry, artifact: ArtifactRef) -> ChannelEntry:
        return ChannelEntry(
            action="rollback",
            release_id=earlier.release_id,
            model_sha256=artifact.sha256,
            evidence_root=earlier.evidence_root,
            actor=order.actor,
            reason=order.reason,
            at=self._now(),
            operation=order.operation,
        )

    def _note(self, model: str, served: ChannelEntry) -> None:
        # The digest of the confirmation tells two rollbacks apart that are alike in all else.
        digests = {"move": served.digest} | ({"model": served.model_sha256} if served.model_sha256 else {})
        entry = LedgerEntry(
            kind="rolled_back",
            release_id=served.release_id,
            actor=served.actor,
            at=self._now(),
            digests=digests,
            note=served.reason,
        )
        self._ledger.extend(model, lambda known: None if any(one.digests == digests for one in known) else entry)


def _may_roll_back(actor: str, policy: Policy, roster: Roster, at: datetime) -> None:
    roles = {role for tier in policy.tiers for role in tier.roles}
    person = roster.find(actor)
    if person is None or not person.active(at.date()) or not roles & set(person.roles):
        raise ApprovalError(
            f"`{actor[:63]}` may not roll back.",
            where="roster",
            remedy=f"somebody active with one of these roles must do it: {', '.join(sorted(roles))}.",
        )


def _begun(moves: Sequence[ChannelEntry], order: RollbackOrder) -> ChannelEntry | None:
    """Where this order has led already, before its run died."""
    return next((move for move in moves if move.operation == order.operation and move.action == "rollback"), None)


def destination(moves: Sequence[ChannelEntry], model: str, to_release: str | None = None) -> ChannelEntry:
    """Where a rollback leads: to ``to_release``, or one step back. Raises NotFoundError where nothing was confirmed."""
    if to_release is None:
        found = previous_deployed(moves)
        what = "no earlier deployment to go back to"
    else:
        ours = [move for move in moves if move.action == "confirm" and move.release_id == to_release]
        found = ours[-1] if ours else None
        what = f"release `{to_release[:63]}` was never deployed"
    if found is None or found.model_sha256 is None:
        raise NotFoundError(
            f"{what}.", where=f"model {model}", remedy="choose one that `gatewright history` lists as confirmed."
        )
    return found
