"""What people are asked, what they sign, and what becomes of it. The rules are in ``approval.py``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

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
    "Question",
    "Request",
    "missing_approvals",
    "statement_for",
]

Choice = Literal["approve", "reject"]
STATEMENT_KIND: Literal["release-approval"] = "release-approval"
GATEWAY_KIND: Literal["gateway-stamp"] = "gateway-stamp"
NO_TOKEN = "none"


class Question(Record):
    """What an answer is about, repeated by every statement that answers it.

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

    def differences(self, other: "Question") -> str:
        """In words, the fields in which ``other`` is another question; empty for the same."""
        ours, theirs = self.question, other.question
        return ", ".join(name.replace("_", " ") for name in ours if ours[name] != theirs[name])

    @property
    def question(self) -> dict[str, Any]:
        """Only these fields, of whatever record has more."""
        return {name: getattr(self, name) for name in sorted(Question.model_fields)}


class Request(Question):
    """What people are asked to approve: exactly these digests, in this window."""

    tier: Tier
    author: str
    asked_at: Timestamp
    expires_at: Timestamp


class ApprovalStatement(Question):
    """What a person signs: who, what and why come only from these bytes."""

    kind: Literal["release-approval"]
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
        **request.question,
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
