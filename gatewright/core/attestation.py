"""The verdict on a release as an in-toto Statement that other tools read.

Specifications: in-toto Attestation Framework, Statement v1; SLSA 1.1, Verification Summary Attestation.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gatewright.core.approval import quorum
from gatewright.core.errors import ApprovalError, IntegrityError
from gatewright.core.records import canonical_json
from gatewright.core.refs import Candidate
from gatewright.core.release_view import ReleaseView
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.core.statements import Approval, Request

__all__ = ["PAYLOAD_TYPE", "PREDICATE_TYPE", "STATEMENT_TYPE", "VERIFIER", "must_attest", "verification_summary"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1"
VERIFIER = "gatewright:pipeline"
_SLSA_VERSION = "1.1"


def verification_summary(
    view: ReleaseView,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    environment: str,
    at: datetime,
) -> bytes:
    """Canonical JSON of the statement about a decided release, as of ``at``.

    PASSED only if the decision does not block and people approved exactly this model, evidence and policy for
    ``environment`` in the number and way that its tier asks for, proven again here; FAILED otherwise. It claims no
    SLSA level: the levels are how surely the approvers are known. Raises IntegrityError for a release that has not
    been decided, SigningError when signatures cannot be verified.
    """
    # What people said afterwards, as after a break-glass, is no part of what was attested.
    view = replace(view, approvals=tuple(approval for approval in view.approvals if approval.at <= at))
    candidate = view.candidate
    if candidate is None or view.decision is None:
        raise _refused(view, "it has not been decided", "attest it after its decision.")
    approvals = _proven(view, candidate, rosters, signatures, environment, at)
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": candidate.model, "digest": {"sha256": candidate.artifact.sha256}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "verifier": {"id": VERIFIER},
                "timeVerified": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                # The environment is in it, so that what passed for staging is no leave for production.
                "resourceUri": f"gatewright:channel/{view.opening.model}/{environment}",
                "policy": _resource(
                    f"gatewright:policy/{view.opening.model}/{view.policy.version}", view.opening.policy.sha256
                ),
                "inputAttestations": _inputs(view),
                "verificationResult": "FAILED" if approvals is None else "PASSED",
                "verifiedLevels": ["FAILED"] if approvals is None else _levels(approvals),
                "slsaVersion": _SLSA_VERSION,
            },
        }
    )


def must_attest(
    payload: bytes,
    view: ReleaseView,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    environment: str,
) -> datetime:
    """When the verdict was attested. Raises IntegrityError unless ``payload`` says of the release what is true of it.

    Everything is computed again as of the time that the statement gives.
    """
    try:
        at = datetime.fromisoformat(json.loads(payload)["predicate"]["timeVerified"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _refused(view, "its attestation gives no time", "restore it from a backup.") from None
    if at.tzinfo is None or payload != verification_summary(view, rosters, signatures, environment=environment, at=at):
        raise _refused(view, "its attestation says something else", "find out who wrote it.")
    return at


def _proven(
    view: ReleaseView,
    candidate: Candidate,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    environment: str,
    at: datetime,
) -> tuple[Approval, ...] | None:
    """The approvals that carry the release; None when it may not pass."""
    request, decision = view.request, view.decision
    if request is None or decision is None or decision.outcome == "block" or decision.tier != request.tier.name:
        return None
    if not _asks_for(request, view, candidate, environment) or decision.policy_sha256 != request.policy_sha256:
        return None
    try:
        return quorum(view.approvals, request, rosters, signatures, at=at)
    except ApprovalError:
        return None


def _asks_for(request: Request, view: ReleaseView, candidate: Candidate, environment: str) -> bool:
    """Whether people were asked about exactly this."""
    return (
        request.release_id == view.opening.release_id
        and request.environment == environment
        and request.model_sha256 == candidate.artifact.sha256
        and request.evidence_root == view.evidence_root
        and request.policy_sha256 == view.opening.policy.sha256
    )


def _inputs(view: ReleaseView) -> list[Mapping[str, Any]]:
    """All that the verdict rests on. The evidence root covers every record of a check."""
    release = f"gatewright:release/{view.opening.release_id}"
    datasets = {"training": view.data.training, "evaluation": view.data.evaluation} if view.data else {}
    return [
        *([_resource(f"{release}/evidence", view.evidence_root)] if view.evidence_root else []),
        *(_resource(f"{release}/data/{name}", dataset.digest) for name, dataset in datasets.items()),
        *([_resource(f"{release}/request", view.request.digest)] if view.request else []),
        *(_resource(f"{release}/approval/{n}", one.digest) for n, one in enumerate(view.approvals, start=1)),
    ]


def _levels(approvals: Sequence[Approval]) -> list[str]:
    """Custom levels, as the specification allows them: not beginning with ``SLSA_``."""
    if not approvals:
        return ["GATEWRIGHT_AUTOMATIC"]
    return sorted({f"GATEWRIGHT_APPROVED_{approval.assurance.upper()}" for approval in approvals})


def _resource(uri: str, sha256: str) -> Mapping[str, Any]:
    return {"uri": uri, "digest": {"sha256": sha256}}


def _refused(view: ReleaseView, problem: str, remedy: str) -> IntegrityError:
    return IntegrityError(
        f"the release cannot be attested: {problem}.", where=f"release {view.opening.release_id}", remedy=remedy
    )
