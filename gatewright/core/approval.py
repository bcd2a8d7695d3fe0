"""What a valid approval is. The form is a doorbell; what counts is what is verified here after it rang.

`accept` turns an answer into an approval, `verify` proves a recorded approval again, later, from its own bytes, and
`quorum` says whether there are enough. They leave to others that the request's digests are those in the store.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from gatewright.core.assurance import Assurance, at_least
from gatewright.core.errors import ApprovalError
from gatewright.core.records import Record
from gatewright.core.roster import Roster
from gatewright.core.signatures import APPROVAL, GATEWAY_STAMP, SignatureVerifier
from gatewright.core.standing import role_of, signed_in_role, stamped_in_role
from gatewright.core.statements import (
    GATEWAY_KIND,
    NO_TOKEN,
    STATEMENT_KIND,
    Answer,
    Approval,
    ApprovalStatement,
    Choice,
    GatewayStamp,
    Pause,
    Request,
)
from gatewright.core.tokens import Token, parse_token

__all__ = ["CLOCK_SKEW", "accept", "quorum", "verify"]

# Clocks may differ by this much, and no more: a statement from the future is refused.
CLOCK_SKEW = timedelta(minutes=2)
MINIMUM_REASON = 10


def accept(
    answer: Answer,
    request: Request,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    pause: Pause | None,
    at: datetime,
    earlier: Sequence[Approval] = (),
) -> Approval:
    """Turn an answer into an approval, by every roster given: the one pinned at opening, and the one in force.

    Raises ApprovalError, with what to write instead, for anything but a clear decision within the window by a
    person of the rosters who holds a role the tier asks for, is known as surely as it asks, is not the candidate's
    author and has not answered before.
    """
    claim = _claim(answer, request, pause, at)
    return _proven(claim, answer.decision.strip(), request, rosters, signatures, at, earlier)


def verify(
    approval: Approval,
    request: Request,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    at: datetime,
    earlier: Sequence[Approval] = (),
) -> None:
    """Prove a recorded approval again from its proof, as of ``at``. Raises ApprovalError when it no longer holds."""
    answer = Answer(
        decision=approval.decision,
        approver=approval.principal,
        reason=approval.reason,
        token=approval.proof or NO_TOKEN,
    )
    if (
        accept(answer, request, rosters, signatures, pause=approval.pause, at=at, earlier=earlier).model_copy(
            update={"at": approval.at}
        )
        != approval
    ):
        raise _refused("the recorded approval is not what its proof says", "find out who changed it")


def quorum(
    approvals: Sequence[Approval],
    request: Request,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    at: datetime,
) -> tuple[Approval, ...]:
    """The approvals of exactly this request, each proven again as of ``at``.

    Raises ApprovalError when one does not hold, somebody rejected, or there are too few distinct people.
    """
    ours = [approval for approval in approvals if approval.request == request.digest]
    for index, approval in enumerate(ours):
        verify(approval, request, rosters, signatures, at=at, earlier=ours[:index])
    if any(approval.decision == "reject" for approval in ours):
        raise _refused("it was rejected", "start a new release")
    if len({approval.principal for approval in ours}) < request.tier.approvals:
        raise _refused(f"{len(ours)} of {request.tier.approvals} approvals are there", "resume the run and approve")
    return tuple(ours)


class _Claim(Record):
    """Who says what, before it is known whether they may."""

    decision: Choice
    principal: str
    reason: str
    assurance: Assurance
    token: Token | None = None
    proof: str = ""
    pause: Pause | None = None


def _claim(answer: Answer, request: Request, pause: Pause | None, at: datetime) -> _Claim:
    if not at <= request.expires_at:
        raise _refused("the window was over when the answer came", "start a new release")
    text = answer.token.strip()
    if text.lower() == NO_TOKEN or not text:
        return _declared(answer)
    token = parse_token(text)
    if token.kind == STATEMENT_KIND:
        return _signed(token, text, request, at)
    if token.kind == GATEWAY_KIND:
        return _stamped(token, text, request, pause, at)
    raise _refused("the token is of no kind that approves", "paste the line that `gatewright approve` printed")


def _declared(answer: Answer) -> _Claim:
    choice = answer.decision.strip()
    if choice not in ("approve", "reject"):
        raise _refused("the decision is neither approve nor reject", "choose one of the two")
    return _Claim(
        decision="approve" if choice == "approve" else "reject",
        principal=answer.approver.strip(),
        reason=answer.reason.strip(),
        assurance="declared",
    )


def _signed(token: Token, text: str, request: Request, at: datetime) -> _Claim:
    said = token.read(ApprovalStatement)
    other = request.differences(said)
    if other:
        raise _refused(f"the signed statement is about another {other}", "sign what this release asks")
    if said.expires != request.expires_at or not at <= said.expires:
        raise _refused("the signed statement is for another window", "sign again")
    if not request.asked_at - CLOCK_SKEW <= said.issued <= at + CLOCK_SKEW:
        raise _refused("the statement was signed before it was asked, or in the future", "set your clock, sign again")
    return _Claim(
        decision=said.meaning,
        principal=said.principal,
        reason=said.reason.strip(),
        assurance="signed",
        token=token,
        proof=text,
    )


def _stamped(token: Token, text: str, request: Request, pause: Pause | None, at: datetime) -> _Claim:
    said = token.read(GatewayStamp)
    if pause is None or (said.run_id, said.pause_key) != (pause.run_id, pause.key):
        raise _refused("the gateway's stamp is for another question", "resume the run again")
    if (said.evidence_root, said.nonce) != (request.evidence_root, request.nonce):
        raise _refused("the gateway's stamp is for another release", "resume the run again")
    if not request.asked_at - CLOCK_SKEW <= said.at <= at + CLOCK_SKEW:
        raise _refused("the gateway's stamp is from another time", "set the gateway's clock")
    return _Claim(
        decision=said.decision,
        principal=said.principal,
        reason=said.reason.strip(),
        assurance="gateway",
        token=token,
        proof=text,
        pause=pause,
    )


def _proven(
    claim: _Claim,
    typed: str,
    request: Request,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    at: datetime,
    earlier: Sequence[Approval],
) -> Approval:
    if typed != claim.decision:
        raise _refused(
            f"the form says `{typed[:20]}`, the token {claim.decision}", "choose in the form what you signed"
        )
    if len(claim.reason) < MINIMUM_REASON:
        raise _refused("the reason is too short to be one", "say in at least ten characters why")
    if not at_least(claim.assurance, request.tier.assurance):
        raise _refused(
            f"a {claim.assurance} name is not enough: the tier {request.tier.name} asks for {request.tier.assurance}",
            f"run `gatewright approve {request.release_id}`"
            if request.tier.assurance == "signed"
            else "log in at the identity gateway",
        )
    if claim.principal == request.author:
        raise _refused("the author of a candidate cannot approve it", "ask somebody else")
    role = _role(claim, request.tier.roles, rosters, signatures, at)
    if any(approval.principal == claim.principal for approval in earlier):
        raise _refused(f"{claim.principal} has answered already", "the quorum needs distinct people")
    return Approval(
        request=request.digest,
        decision=claim.decision,
        principal=claim.principal,
        role=role,
        reason=claim.reason,
        assurance=claim.assurance,
        proof=claim.proof,
        pause=claim.pause,
        at=at,
    )


def _role(
    claim: _Claim, roles: Sequence[str], rosters: Sequence[Roster], signatures: SignatureVerifier, at: datetime
) -> str:
    who = (claim.principal, roles, rosters)
    if claim.token is None:
        return role_of(*who, at)
    if claim.assurance == "signed":
        return signed_in_role(claim.token, *who, signatures, namespace=APPROVAL, at=at)
    return stamped_in_role(claim.token, *who, signatures, namespace=GATEWAY_STAMP, at=at)


def _refused(problem: str, remedy: str) -> ApprovalError:
    return ApprovalError(f"{problem}.", where="approval", remedy=f"{remedy}.")
