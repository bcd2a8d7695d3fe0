"""Put an approved candidate into production: only these bytes, only over the champion it was compared with."""

from collections.abc import Callable, Sequence
from datetime import datetime

from gatewright.core.approval import quorum
from gatewright.core.break_glass import Emergency, break_glass_allows
from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import ConflictError
from gatewright.core.policy import Policy
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData, ReleaseState
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.core.statements import Approval, Request, missing_approvals
from gatewright.core.waivers import require_waivers
from gatewright.services.deployment import Deployment
from gatewright.services.releases import Releases

__all__ = ["begin", "close_failed", "promote"]


def begin(releases: Releases, deployment: Deployment, opening: Opening) -> Opening:
    """Open a release, or take over the one with this id, as `Releases.open`; the opening that stands.

    The lock is taken after the champion was read: a release that ended in between may have moved the channel. This one
    then ends at once, not after its gates and everybody's approval. Raises ConflictError for that too.
    """
    opening = releases.open(opening)
    try:
        deployment.require_possible(opening.model, opening.release_id, expected=opening.channel_generation)
    except ConflictError as error:
        close_failed(releases, deployment, opening, "gatewright", str(error))
        raise
    return opening


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
    """Recompute all digests, prove quorum and waivers again, move the channel, wait for the target; the confirmation.

    May be called again after a crash: it goes on from the move it finds. Who gives up calls `close_failed`.
    Raises IntegrityError when any byte differs from what was approved, ApprovalError without a quorum, ConflictError
    when the champion is another than the one compared with or the release has ended, TargetError when the target
    does not serve the candidate in time.
    """
    releases.verify(opening, candidate, data, request)
    policy = releases.policy(opening)
    waivers = releases.decision(opening).waivers
    require_waivers(waivers, policy, rosters, signatures, author=candidate.author, at=now())
    allowed_by = _allowed_by(releases, request, policy, rosters, signatures, now())
    return deployment.serve(
        opening.model,
        _intent(opening, request, allowed_by, now()),
        expected=opening.channel_generation,
        timeout_seconds=policy.serving_timeout_seconds,
        check=lambda: releases.must_be_open(opening),
    )


def _allowed_by(
    releases: Releases,
    request: Request,
    policy: Policy,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    at: datetime,
) -> Sequence[Approval | Emergency]:
    """The quorum, or the one person who broke the glass; nobody breaks it once somebody has rejected."""
    given = [a for a in releases.approvals(request.release_id) if a.request == request.digest]
    emergency = releases.emergency(request)
    rejected = any(approval.decision == "reject" for approval in given)
    if emergency is None or rejected or missing_approvals(given, request) == 0:
        return quorum(given, request, rosters, signatures, at=at)
    break_glass_allows(emergency, request, policy, rosters, signatures, at=at)
    return (emergency,)


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


def _intent(
    opening: Opening, request: Request, allowed_by: Sequence[Approval | Emergency], at: datetime
) -> ChannelEntry:
    return ChannelEntry(
        action="deploy",
        release_id=opening.release_id,
        model_sha256=request.model_sha256,
        evidence_root=request.evidence_root,
        actor=", ".join(one.principal for one in allowed_by) or "gatewright",
        reason=allowed_by[0].reason if allowed_by else "the policy asks for no approval",
        at=at,
        operation=opening.release_id,
    )
