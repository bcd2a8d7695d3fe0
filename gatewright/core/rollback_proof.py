"""Whether an order to roll back counts: by whom it is, whether they may, and whether it is about exactly this move.

`accept_rollback` turns a claim into the record that is kept before the channel moves, `prove_rollback` proves that
record again, later, from its own bytes. That an operation moves the channel once is left to the channel's history.
"""

from datetime import datetime

from gatewright.core.approval import CLOCK_SKEW, MINIMUM_REASON
from gatewright.core.assurance import Assurance, at_least
from gatewright.core.errors import ApprovalError
from gatewright.core.in_force import InForce
from gatewright.core.records import Record, Sha256, Timestamp
from gatewright.core.rollback_order import (
    LIFETIME,
    RollbackClaim,
    RollbackOrder,
    RollbackStamp,
    RollbackStatement,
    bound_facts,
    claim_of,
)
from gatewright.core.signatures import ROLLBACK, ROLLBACK_STAMP, SignatureVerifier
from gatewright.core.standing import role_of, signed_in_role, stamped_in_role
from gatewright.core.tokens import parse_token
from gatewright.core.way_back import WayBack

__all__ = ["AcceptedRollback", "accept_rollback", "prove_rollback"]


class AcceptedRollback(Record):
    """An order that counts, kept before the channel moves.

    ``proof`` is the token, empty for ``declared``; ``role`` the one in which ``principal`` may do so.
    """

    model: str
    environment: str
    operation: str
    to_release: str
    to_model_sha256: Sha256
    principal: str
    role: str
    reason: str
    assurance: Assurance
    proof: str = ""
    at: Timestamp


def accept_rollback(
    claim: RollbackClaim,
    way: WayBack,
    policy: InForce,
    roster: InForce,
    signatures: SignatureVerifier,
    *,
    at: datetime,
) -> AcceptedRollback:
    """The record of a claim that counts at ``at``, for going exactly this way.

    Raises ApprovalError for another move than was signed or stamped, one from another time, less assurance than the
    policy asks, no reason, a person who may not, or a signature that does not hold.
    """
    if isinstance(claim.said, RollbackStatement):
        _require_statement(claim.said, way, policy, roster, at)
    elif isinstance(claim.said, RollbackStamp):
        _require_stamp(claim.said, way, at)
    if len(claim.reason.strip()) < MINIMUM_REASON:
        raise _refused("the reason is too short to be one", "say in at least ten characters why")
    asked = policy.policy.rollback_assurance
    if not at_least(claim.assurance, asked):
        raise _refused(
            f"a {claim.assurance} name is not enough: the policy asks for {asked}",
            "run `gatewright rollback` with your key" if asked == "signed" else "log in at the identity gateway",
        )
    return AcceptedRollback(
        model=way.model,
        environment=way.environment,
        operation=claim.operation,
        to_release=way.goal.release_id,
        to_model_sha256=str(way.goal.model_sha256),
        principal=claim.principal,
        role=_role(claim, policy, roster, signatures, at),
        reason=claim.reason.strip(),
        assurance=claim.assurance,
        proof=claim.token,
        at=at,
    )


def prove_rollback(
    recorded: AcceptedRollback,
    way: WayBack,
    policy: InForce,
    roster: InForce,
    signatures: SignatureVerifier,
    *,
    at: datetime,
) -> None:
    """Prove a recorded rollback again, as of the move at ``at``. Raises ApprovalError when it does not hold."""
    order = RollbackOrder(
        model=recorded.model,
        to_release=None if recorded.proof else recorded.to_release,
        actor=recorded.principal,
        reason=recorded.reason,
        operation=recorded.operation,
        token=recorded.proof,
    )
    found = accept_rollback(claim_of(order), way, policy, roster, signatures, at=at)
    if found.model_copy(update={"at": recorded.at}) != recorded:
        raise _refused("the recorded rollback is not what its proof says", "find out who changed it")


def _require_statement(said: RollbackStatement, way: WayBack, policy: InForce, roster: InForce, at: datetime) -> None:
    wanted = bound_facts(way, policy, roster)
    other = ", ".join(name.replace("_", " ") for name in wanted if getattr(said, name) != wanted[name])
    if other:
        raise _refused(f"the signed statement is about another {other}", "look at `gatewright history`, sign again")
    if said.expires != said.issued + LIFETIME:
        raise _refused("the signed statement does not expire within an hour", "sign again")
    _require_now(said.issued, said.expires, at)


def _require_stamp(said: RollbackStamp, way: WayBack, at: datetime) -> None:
    if (said.model, said.environment) != (way.model, way.environment):
        raise _refused("the gateway's stamp is for another model or channel", "start it again")
    if said.to_release != way.goal.release_id and not (said.to_release is None and way.one_step):
        raise _refused("the gateway's stamp is for another release", "start it again")
    if not way.moved_at <= said.at + CLOCK_SKEW:
        raise _refused("the channel has moved since it was asked", "look at `gatewright history`, start it again")
    _require_now(said.at, said.at + LIFETIME, at)


def _require_now(since: datetime, until: datetime, at: datetime) -> None:
    if not since <= at + CLOCK_SKEW:
        raise _refused("it was asked in the future", "set your clock, ask again")
    if not at <= until:
        raise _refused("it was asked more than an hour ago", "look at what serves now, ask again")


def _role(claim: RollbackClaim, policy: InForce, roster: InForce, signatures: SignatureVerifier, at: datetime) -> str:
    roles, rosters = policy.policy.rollback_roles, (roster.roster,)
    if isinstance(claim.said, RollbackStatement):
        token = parse_token(claim.token)
        return signed_in_role(token, claim.principal, roles, rosters, signatures, namespace=ROLLBACK, at=at)
    if isinstance(claim.said, RollbackStamp):
        token = parse_token(claim.token)
        return stamped_in_role(token, claim.principal, roles, rosters, signatures, namespace=ROLLBACK_STAMP, at=at)
    return role_of(claim.principal, roles, rosters, at)


def _refused(problem: str, remedy: str) -> ApprovalError:
    return ApprovalError(f"{problem}.", where="rollback", remedy=f"{remedy}.")
