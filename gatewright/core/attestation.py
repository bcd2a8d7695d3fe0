"""The verdict on a release as an in-toto Statement that other tools read.

Specifications: in-toto Attestation Framework, Statement v1; SLSA 1.1, Verification Summary Attestation. Its
``verificationResult`` says whether the artifact passed the policy. A release that one person let go on alone has not,
until as many have approved it as the policy asks for; the extension field `BREAK_GLASS_FIELD` says why it serves.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gatewright.core.approval import quorum
from gatewright.core.break_glass import Emergency, break_glass_allows
from gatewright.core.errors import ApprovalError, IntegrityError
from gatewright.core.records import canonical_json
from gatewright.core.refs import Candidate
from gatewright.core.release_view import ReleaseView
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.core.statements import Approval, Request, missing_approvals

__all__ = [
    "BREAK_GLASS_FIELD",
    "PAYLOAD_TYPE",
    "PREDICATE_TYPE",
    "STATEMENT_TYPE",
    "VERIFIER",
    "must_attest",
    "passed",
    "quorum_completed_at",
    "verification_summary",
]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1"
VERIFIER = "gatewright:pipeline"
# "Producers MAY add extension fields using field names that are URIs."
BREAK_GLASS_FIELD = "gatewright:break-glass"
_SLSA_VERSION = "1.1"


def verification_summary(
    view: ReleaseView,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    environment: str,
    at: datetime,
    emergency: Emergency | None = None,
) -> bytes:
    """Canonical JSON of the statement about a decided release, as of ``at``.

    PASSED only if the decision does not block and people approved exactly this model, evidence and policy for
    ``environment`` in the number and way that its tier asks for, proven again here; FAILED otherwise, also where one
    person broke the glass: ``emergency`` is then named, once its signature is proven. It claims no SLSA level: the
    levels are how surely the approvers are known. Raises IntegrityError for a release that has not been decided,
    SigningError when signatures cannot be verified.
    """
    # What people said afterwards, as after a break-glass, is no part of what was attested.
    view = replace(view, approvals=tuple(approval for approval in view.approvals if approval.at <= at))
    candidate = view.candidate
    if candidate is None or view.decision is None:
        raise _refused(view, "it has not been decided", "attest it after its decision.")
    broken = _broken_glass(emergency, view, rosters, signatures, at)
    as_of = (quorum_completed_at(view, broken) or at) if broken else at
    approvals = _proven(view, candidate, rosters, signatures, environment, as_of)
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": candidate.model, "digest": {"sha256": candidate.artifact.sha256}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "verifier": {"id": VERIFIER},
                "timeVerified": _timestamp(at),
                # The environment is in it, so that what passed for staging is no leave for production.
                "resourceUri": f"gatewright:channel/{view.opening.model}/{environment}",
                "policy": _resource(
                    f"gatewright:policy/{view.opening.model}/{view.policy.version}", view.opening.policy.sha256
                ),
                "inputAttestations": [*_inputs(view), *([_broken_glass_of(view, broken)] if broken else [])],
                "verificationResult": "FAILED" if approvals is None else "PASSED",
                "verifiedLevels": ["FAILED"] if approvals is None else _levels(approvals),
                "slsaVersion": _SLSA_VERSION,
                **({BREAK_GLASS_FIELD: _said(broken)} if broken else {}),
            },
        }
    )


def passed(payload: bytes) -> bool:
    """Whether a statement that `verification_summary` made says PASSED."""
    return bool(json.loads(payload)["predicate"]["verificationResult"] == "PASSED")


def quorum_completed_at(view: ReleaseView, emergency: Emergency) -> datetime | None:
    """When the last of the people who were missing after a break-glass approved; None while somebody is."""
    if view.request is None or missing_approvals(view.approvals, view.request):
        return None
    later = (approval.at for approval in view.approvals if approval.request == emergency.request)
    return max(later, default=None)


def must_attest(
    payload: bytes,
    view: ReleaseView,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    environment: str,
    emergency: Emergency | None = None,
) -> datetime:
    """When the verdict was attested. Raises IntegrityError unless ``payload`` says of the release what is true of it.

    Everything is computed again as of the time that the statement gives.
    """
    try:
        at = datetime.fromisoformat(json.loads(payload)["predicate"]["timeVerified"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _refused(view, "its attestation gives no time", "restore it from a backup.") from None
    if at.tzinfo is None or payload != verification_summary(
        view, rosters, signatures, environment=environment, at=at, emergency=emergency
    ):
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


def _broken_glass(
    emergency: Emergency | None,
    view: ReleaseView,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    at: datetime,
) -> Emergency | None:
    """The emergency, if somebody who could declare one of exactly this request did so before ``at``."""
    if emergency is None or view.request is None or not emergency.at <= at:
        return None
    try:
        break_glass_allows(emergency, view.request, view.policy, rosters, signatures, at=emergency.at)
    except ApprovalError:
        return None
    return emergency


def _broken_glass_of(view: ReleaseView, emergency: Emergency) -> Mapping[str, Any]:
    return _resource(f"gatewright:release/{view.opening.release_id}/break-glass", emergency.digest)


def _said(emergency: Emergency) -> Mapping[str, Any]:
    return {
        "principal": emergency.principal,
        "role": emergency.role,
        "at": _timestamp(emergency.at),
        "expires": _timestamp(emergency.expires),
    }


def _timestamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
