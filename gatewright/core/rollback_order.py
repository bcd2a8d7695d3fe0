"""What somebody orders who takes a model back: what a person signs, or the identity gateway stamps.

With a token who, what and why come only from the signed bytes. Whether an order counts is for ``rollback_proof.py``.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import StringConstraints

from gatewright.core.assurance import Assurance
from gatewright.core.errors import ApprovalError
from gatewright.core.in_force import InForce
from gatewright.core.records import Name, Record, Sha256, Timestamp
from gatewright.core.statements import NO_TOKEN
from gatewright.core.tokens import parse_token
from gatewright.core.way_back import WayBack

__all__ = [
    "LIFETIME",
    "ROLLBACK_KIND",
    "STAMP_KIND",
    "RollbackClaim",
    "RollbackOrder",
    "RollbackStamp",
    "RollbackStatement",
    "bound_facts",
    "claim_of",
    "operation_in",
    "rollback_statement",
]

ROLLBACK_KIND: Literal["rollback"] = "rollback"
STAMP_KIND: Literal["rollback-stamp"] = "rollback-stamp"
# A rollback is for now: what was signed or stamped longer ago was meant for another state of things.
LIFETIME = timedelta(hours=1)
Text = Annotated[str, StringConstraints(max_length=2000)]


class RollbackStatement(Record):
    """What a person signs: exactly this move of this channel, from where it stood, in the next hour.

    ``from_generation`` is the number of the channel's last move then, ``from_model_sha256`` the model that served.
    ``operation`` names the order and is spent by the move. The digests are of the policy and the roster in force.
    """

    kind: Literal["rollback"]
    model: Name
    environment: Name
    to_release: Name
    to_model_sha256: Sha256
    from_generation: int
    from_model_sha256: Sha256 | None
    operation: Name
    policy_sha256: Sha256
    roster_sha256: Sha256
    issued: Timestamp
    expires: Timestamp
    principal: Name
    reason: Text


class RollbackStamp(Record):
    """What the identity gateway signs when somebody who is logged in starts a rollback.

    ``to_release`` None: one step back from what serves.
    """

    kind: Literal["rollback-stamp"]
    model: Name
    environment: Name
    to_release: Name | None
    operation: Name
    principal: Name
    reason: Text
    at: Timestamp


class RollbackOrder(Record):
    """What somebody asks: one step back, or ``to_release``; ``token`` proves who, where there is one.

    ``operation`` names the order: repeated after a crash, it is carried out once.
    """

    model: str
    to_release: str | None
    actor: str
    reason: str
    operation: str
    token: str | None = None


class RollbackClaim(Record):
    """Who asks what, before it is known whether they may. ``said`` is what was signed or stamped, by ``token``."""

    model: str
    to_release: str | None
    principal: str
    reason: str
    operation: str
    assurance: Assurance
    said: RollbackStatement | RollbackStamp | None = None
    token: str = ""


def rollback_statement(
    way: WayBack, policy: InForce, roster: InForce, *, operation: str, principal: str, reason: str, issued: datetime
) -> RollbackStatement:
    """The statement to sign for going this way, within an hour of ``issued``."""
    return RollbackStatement.model_validate(
        {
            **bound_facts(way, policy, roster),
            "kind": ROLLBACK_KIND,
            "operation": operation,
            "issued": issued,
            "expires": issued + LIFETIME,
            "principal": principal,
            "reason": reason,
        }
    )


def operation_in(token: str | None) -> str | None:
    """The operation that a token names; None without one. Raises ApprovalError for what is no token of a rollback."""
    said = _said(token) if token and token.strip().lower() not in ("", NO_TOKEN) else None
    return said.operation if said else None


def claim_of(order: RollbackOrder) -> RollbackClaim:
    """What an order says, by its token where it has one.

    Raises ApprovalError for a token of another kind, and for an order that says something else than its token.
    """
    text = (order.token or "").strip()
    if text.lower() in ("", NO_TOKEN):
        given = order.model_dump(include={"model", "to_release", "reason", "operation"})
        return RollbackClaim(**given, principal=order.actor, assurance="declared")
    said = _said(text)
    _require_same(order, said)
    return RollbackClaim(
        **said.model_dump(include={"model", "to_release", "principal", "reason", "operation"}),
        assurance="signed" if isinstance(said, RollbackStatement) else "gateway",
        said=said,
        token=text,
    )


def _said(token: str) -> RollbackStatement | RollbackStamp:
    parsed = parse_token(token)
    if parsed.kind == ROLLBACK_KIND:
        return parsed.read(RollbackStatement)
    if parsed.kind == STAMP_KIND:
        return parsed.read(RollbackStamp)
    raise _refused("the token is of no kind that rolls back", "run `gatewright rollback`, which signs the right one")


def _require_same(order: RollbackOrder, said: RollbackStatement | RollbackStamp) -> None:
    """Whoever reads the run's parameters must read what was signed."""
    pairs = {
        "model": (order.model, said.model),
        "actor": (order.actor, said.principal),
        "reason": (order.reason.strip(), said.reason.strip()),
        "operation": (order.operation, said.operation),
        "to_release": (order.to_release or said.to_release, said.to_release),
    }
    other = ", ".join(name for name, (given, signed) in pairs.items() if given != signed)
    if other:
        raise _refused(f"the parameters say another {other} than the token", "give the same, or leave the token out")


def bound_facts(way: WayBack, policy: InForce, roster: InForce) -> dict[str, object]:
    """What a statement must say of the move, the policy and the roster that it is about."""
    return {
        "model": way.model,
        "environment": way.environment,
        "to_release": way.goal.release_id,
        "to_model_sha256": way.goal.model_sha256,
        "from_generation": way.generation,
        "from_model_sha256": way.serves,
        "policy_sha256": policy.sha256,
        "roster_sha256": roster.sha256,
    }


def _refused(problem: str, remedy: str) -> ApprovalError:
    return ApprovalError(f"{problem}.", where="rollback", remedy=f"{remedy}.")
