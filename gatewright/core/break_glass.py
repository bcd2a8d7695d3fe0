"""Break-glass: in an emergency one person lets a release go on, alone, by name, loudly, and for some hours.

It replaces the quorum and nothing else: the release waits, so it is not blocked; every digest is verified; the author
of the candidate cannot do it. It stays open until enough people have approved afterwards, or until it expires.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import StringConstraints

from gatewright.core.approval import CLOCK_SKEW, MINIMUM_REASON
from gatewright.core.errors import ApprovalError
from gatewright.core.policy import BreakGlass, Policy
from gatewright.core.records import Name, Record, Sha256, Timestamp
from gatewright.core.roster import Roster
from gatewright.core.signatures import BREAK_GLASS, SignatureVerifier
from gatewright.core.standing import signed_in_role
from gatewright.core.statements import Question, Request
from gatewright.core.tokens import parse_token

__all__ = [
    "BREAK_GLASS_KIND",
    "BreakGlassStatement",
    "Emergency",
    "accept_break_glass",
    "break_glass_allows",
    "break_glass_statement",
]

BREAK_GLASS_KIND: Literal["break-glass"] = "break-glass"


class BreakGlassStatement(Question):
    """What the person signs: exactly this release, and until when it may stand without a quorum."""

    kind: Literal["break-glass"]
    issued: Timestamp
    expires: Timestamp
    principal: Name
    reason: Annotated[str, StringConstraints(max_length=2000)]


class Emergency(Record):
    """A statement as it was recorded; ``token`` proves it."""

    request: Sha256
    principal: str
    role: str
    reason: str
    token: str
    at: Timestamp
    expires: Timestamp


def break_glass_statement(
    request: Request, policy: Policy, *, principal: str, reason: str, issued: datetime
) -> BreakGlassStatement:
    """The statement to sign. Raises ApprovalError when the policy knows no break-glass."""
    hours = _terms(policy).hours
    return BreakGlassStatement(
        kind=BREAK_GLASS_KIND,
        **request.question,
        issued=issued,
        expires=issued + timedelta(hours=hours),
        principal=principal,
        reason=reason,
    )


def accept_break_glass(
    token: str,
    request: Request,
    policy: Policy,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    at: datetime,
) -> Emergency:
    """What a token says, when its signer may say it of this release at ``at``.

    Raises ApprovalError for another release, a window that is over, the author, a person without the role that the
    policy names, no reason, or a signature that does not hold.
    """
    parsed = parse_token(token)
    said = parsed.read(BreakGlassStatement)
    _require_bound(said, request, policy)
    if not at <= request.expires_at:
        raise _refused("the window was over when the answer came", "start a new release")
    if not request.asked_at - CLOCK_SKEW <= said.issued <= at + CLOCK_SKEW:
        raise _refused("it was signed before it was asked, or in the future", "set your clock, sign again")
    return _proven(token.strip(), said, request, policy, rosters, signatures, at)


def break_glass_allows(
    emergency: Emergency,
    request: Request,
    policy: Policy,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    at: datetime,
) -> None:
    """Prove a recorded emergency again, right before the channel moves. Raises ApprovalError when it does not hold."""
    found = accept_break_glass(emergency.token, request, policy, rosters, signatures, at=at)
    if found.model_copy(update={"at": emergency.at}) != emergency:
        raise _refused("the recorded emergency is not what its proof says", "find out who changed it")


def _require_bound(said: BreakGlassStatement, request: Request, policy: Policy) -> None:
    other = request.differences(said)
    if other:
        raise _refused(f"the signed statement is about another {other}", "sign what this release asks")
    if said.expires != said.issued + timedelta(hours=_terms(policy).hours):
        raise _refused("it expires at another time than the policy says", "sign again")


def _proven(
    token: str,
    said: BreakGlassStatement,
    request: Request,
    policy: Policy,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    at: datetime,
) -> Emergency:
    if not at <= said.expires:
        raise _refused("it has expired", "have the release approved")
    if said.principal == request.author:
        raise _refused("the author of a candidate cannot break the glass for it", "ask somebody else")
    if len(said.reason.strip()) < MINIMUM_REASON:
        raise _refused("the reason is too short to be one", "say in at least ten characters why")
    roles = _terms(policy).roles
    role = signed_in_role(parse_token(token), said.principal, roles, rosters, signatures, namespace=BREAK_GLASS, at=at)
    return Emergency(
        request=request.digest,
        principal=said.principal,
        role=role,
        reason=said.reason.strip(),
        token=token,
        at=at,
        expires=said.expires,
    )


def _terms(policy: Policy) -> BreakGlass:
    if policy.break_glass is None:
        raise _refused("the policy knows no break-glass", "have the release approved")
    return policy.break_glass


def _refused(problem: str, remedy: str) -> ApprovalError:
    return ApprovalError(f"{problem}.", where="break-glass", remedy=f"{remedy}.")
