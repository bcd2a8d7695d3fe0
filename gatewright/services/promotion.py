"""Put an approved candidate into production: only these bytes, only over the champion it was compared with."""

from collections.abc import Callable, Sequence
from datetime import datetime

from gatewright.core.approval import quorum
from gatewright.core.channels import ChannelEntry
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.core.statements import Approval, Request
from gatewright.services.deployment import Deployment
from gatewright.services.releases import Releases

__all__ = ["promote"]


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

    May be called again after a crash: it goes on from the move it finds. Whatever is refused, a move of an earlier
    call that was never confirmed is put back. Raises IntegrityError when any byte differs from what was approved,
    ApprovalError without a quorum, ConflictError when the champion is another than the one compared with or the
    release has ended, TargetError when the target does not serve the candidate in time.
    """
    try:
        releases.verify(opening, candidate, data, request)
        given = releases.approvals(opening.release_id)
        approvals = quorum(given, request, rosters, signatures, at=now())
        timeout = releases.policy(opening).serving_timeout_seconds
    except Exception as error:
        deployment.put_back(opening.model, opening.release_id, str(error))
        raise
    return deployment.serve(
        opening.model,
        _intent(opening, candidate, approvals, now()),
        expected=opening.channel_generation,
        timeout_seconds=timeout,
        check=lambda: releases.must_be_open(opening),
    )


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
