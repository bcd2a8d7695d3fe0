"""Put an approved candidate into production: only these bytes, only over the champion it was compared with."""

from collections.abc import Callable, Sequence
from datetime import datetime

from gatewright.core.approval import quorum
from gatewright.core.channels import ChannelEntry
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData, ReleaseState
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.core.statements import Approval, Request
from gatewright.services.deployment import Deployment
from gatewright.services.releases import Releases

__all__ = ["close_failed", "promote"]


def promote(
    releases: Releases,
    deployment: Deployment,
    opening: Opening,
    data: ReleaseData,
    candidate: Candidate,
    request: Request,
    *,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    now: Callable[[], datetime],
) -> ChannelEntry:
    """Recompute all digests, prove the quorum again, move the channel, wait for the target; the confirmation.

    May be called again after a crash: it goes on from the move it finds. Who gives up calls `close_failed`.
    Raises IntegrityError when any byte differs from what was approved, ApprovalError without a quorum, ConflictError
    when the champion is another than the one compared with or the release has ended, TargetError when the target
    does not serve the candidate in time.
    """
    releases.verify(opening, candidate, data, request)
    approvals = quorum(releases.approvals(opening.release_id), request, rosters, signatures, at=now())
    return deployment.serve(
        opening.model,
        _intent(opening, candidate, approvals, now()),
        expected=opening.channel_generation,
        timeout_seconds=releases.policy(opening).serving_timeout_seconds,
        check=lambda: releases.must_be_open(opening),
    )


def close_failed(
    releases: Releases, deployment: Deployment, opening: Opening, actor: str, note: str
) -> ReleaseState | None:
    """End a release that cannot go on: as failed, once nothing of it serves nor can come to serve any more.

    As deployed, when its move was confirmed all the same. The state that stands. Raises StoreError when neither can
    be told: then the release stays open, and any new run with its id goes on.
    """
    model, release_id = opening.model, opening.release_id
    served = None
    if releases.approved(opening):
        served = deployment.settle(model, release_id, expected=opening.channel_generation, reason=note)
    else:
        # No run of it can have moved the channel; whoever did, it is not approved.
        deployment.put_back(model, release_id, note)
    return releases.close(opening, ReleaseState.DEPLOYED if served else ReleaseState.FAILED, actor, note=note)


def _intent(opening: Opening, candidate: Candidate, approvals: Sequence[Approval], at: datetime) -> ChannelEntry:
    return ChannelEntry(
        action="deploy",
        release_id=opening.release_id,
        model_sha256=candidate.artifact.sha256,
        actor=", ".join(approval.principal for approval in approvals) or "gatewright",
        reason=approvals[0].reason if approvals else "the policy asks for no approval",
        at=at,
        operation=opening.release_id,
    )
