"""What people are asked, what they sign, and what becomes of it. The rules are in ``approval.py``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from gatewright.core.assurance import Assurance
from gatewright.core.records import Name, Record, Sha256, Timestamp
from gatewright.core.tiers import Tier

__all__ = [
    "GATEWAY_KIND",
    "NO_TOKEN",
    "STATEMENT_KIND",
    "Answer",
    "Approval",
    "ApprovalStatement",
    "Choice",
    "GatewayStamp",
    "Pause",
    "Request",
    "bound_fields",
    "missing_approvals",
    "statement_for",
]

Choice = Literal["approve", "reject"]
STATEMENT_KIND: Literal["release-approval"] = "release-approval"
GATEWAY_KIND: Literal["gateway-stamp"] = "gateway-stamp"
NO_TOKEN = "none"


class Request(Record):
    """What people are asked to approve: exactly these digests, in this window.

    ``nonce`` is issued by the gate, so that an approval answers this question and no other. ``ledger_entries`` and
    ``ledger_head`` are the length and the last digest of the ledger when it was asked.
    """

    release_id: str
    environment: Name
    model: Name
    evidence_root: Sha256
    model_sha256: Sha256
    champion_sha256: Sha256 | None
    policy_sha256: Sha256
    policy_version: int
    roster_sha256: Sha256
    roster_version: int
    ledger_entries: int
    ledger_head: Sha256
    nonce: Sha256
    tier: Tier
    author: str
    asked_at: Timestamp
    expires_at: Timestamp


class ApprovalStatement(Record):
    """What a person signs: who, what and why come only from these bytes."""

    kind: Literal["release-approval"]
    release_id: str
    environment: Name
    model: Name
    model_sha256: Sha256
    champion_sha256: Sha256 | None
    evidence_root: Sha256
    policy_sha256: Sha256
    policy_version: int
    roster_sha256: Sha256
    roster_version: int
    ledger_entries: int
    ledger_head: Sha256
    nonce: Sha256
    issued: Timestamp
    expires: Timestamp
    principal: Name
    meaning: Choice
    reason: str


class Pause(Record):
    """Where a run waits: which question of which run an answer belongs to."""

    run_id: str
    key: str


class GatewayStamp(Record):
    """What the identity gateway signs when somebody who is logged in resumes a run."""

    kind: Literal["gateway-stamp"]
    run_id: str
    pause_key: str
    evidence_root: Sha256
    nonce: Sha256
    decision: Choice
    principal: Name
    reason: str
    at: Timestamp


class Answer(Record):
    """What somebody typed into the form."""

    decision: str
    approver: str
    reason: str
    token: str


class Approval(Record):
    """A statement by a person over the digests of the request.

    ``assurance`` says how far the name is proven; ``proof`` is the token that proves it, empty for ``declared``, and
    ``pause`` the question that a gateway's stamp answers.
    """

    request: Sha256
    decision: Choice
    principal: str
    role: str
    reason: str
    assurance: Assurance
    proof: str = ""
    pause: Pause | None = None
    at: Timestamp


def statement_for(
    request: Request, *, principal: str, meaning: Choice, reason: str, issued: datetime
) -> ApprovalStatement:
    """The statement a person signs to answer ``request``."""
    return ApprovalStatement(
        kind=STATEMENT_KIND,
        **bound_fields(request),
        issued=issued,
        expires=request.expires_at,
        principal=principal,
        meaning=meaning,
        reason=reason,
    )


def missing_approvals(approvals: Sequence[Approval], request: Request) -> int:
    """How many people more must approve exactly this request; whether each approval holds is not asked here."""
    ours = {a.principal for a in approvals if a.request == request.digest and a.decision == "approve"}
    return max(0, request.tier.approvals - len(ours))


def bound_fields(request: Request) -> dict[str, object]:
    """The fields of a request that a statement repeats."""
    names = ApprovalStatement.model_fields.keys() & Request.model_fields.keys()
    return {name: getattr(request, name) for name in sorted(names)}
