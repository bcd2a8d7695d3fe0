"""What a valid approval is. The form is a doorbell; what counts is what is verified here after it rang."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from gatewright.core.errors import ApprovalError
from gatewright.core.policy import Tier
from gatewright.core.records import Record, Sha256, Timestamp
from gatewright.core.roster import Person, Roster

__all__ = ["Answer", "Approval", "Request", "accept"]

Choice = Literal["approve", "reject"]


class Request(Record):
    """What people are asked to approve: exactly these digests, in this window."""

    release_id: str
    evidence_root: Sha256
    model_sha256: Sha256
    champion_sha256: Sha256 | None
    policy_sha256: Sha256
    tier: Tier
    author: str
    asked_at: Timestamp
    expires_at: Timestamp


class Answer(Record):
    """What somebody typed into the form."""

    decision: str
    approver: str
    reason: str
    token: str


class Approval(Record):
    """A statement by a person over the digests of the request.

    ``assurance`` says how far the name is proven: ``declared`` is typed in a form, and unverified.
    """

    request: Sha256
    decision: Choice
    principal: str
    role: str
    reason: str
    assurance: Literal["declared"]
    at: Timestamp


def accept(
    answer: Answer, request: Request, roster: Roster, *, at: datetime, earlier: Sequence[Approval] = ()
) -> Approval:
    """Turn an answer into an approval.

    Raises ApprovalError, with what to write instead, for anything but a clear decision within the window by a
    person of the roster who holds a role the tier asks for, is not the candidate's author and has not
    answered before.
    """
    if not at <= request.expires_at:
        raise _refused("the window was over when the answer came", "start a new release")
    choice = answer.decision.strip()
    if choice not in ("approve", "reject"):
        raise _refused("the decision is neither approve nor reject", "choose one of the two")
    if len(answer.reason.strip()) < 10:
        raise _refused("the reason is too short to be one", "say in at least ten characters why")
    person = _person(answer.approver.strip(), roster, at)
    role = next((role for role in request.tier.roles if role in person.roles), None)
    if role is None:
        raise _refused(
            f"{person.id} holds no role that may approve this", f"ask one of: {', '.join(request.tier.roles)}"
        )
    if person.id == request.author:
        raise _refused("the author of a candidate cannot approve it", "ask somebody else")
    if any(approval.principal == person.id for approval in earlier):
        raise _refused(f"{person.id} has answered already", "the quorum needs distinct people")
    return Approval(
        request=request.digest,
        decision="approve" if choice == "approve" else "reject",
        principal=person.id,
        role=role,
        reason=answer.reason.strip(),
        assurance="declared",
        at=at,
    )


def _person(name: str, roster: Roster, at: datetime) -> Person:
    person = roster.find(name)
    if person is None:
        raise _refused("the approver is not in the roster", "write the id as in the roster, such as `first.last`")
    if not person.active(at.date()):
        raise _refused(f"{person.id} is not active today", "ask somebody who is")
    return person


def _refused(problem: str, remedy: str) -> ApprovalError:
    return ApprovalError(f"{problem}.", where="approval form", remedy=f"{remedy}.")
