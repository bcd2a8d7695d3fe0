"""Whether a person may say what they signed: active, in a role that may, and with a key that counts."""

from collections.abc import Sequence
from datetime import datetime

from gatewright.core.errors import ApprovalError
from gatewright.core.roster import Person, Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.core.tokens import Token

__all__ = ["role_of", "signed_in_role", "stamped_in_role"]


def role_of(principal: str, roles: Sequence[str], rosters: Sequence[Roster], at: datetime) -> str:
    """The first of ``roles`` that ``principal`` holds at ``at`` by every roster; whether it is them is not asked here.

    Raises ApprovalError when they are not active or hold none of the roles.
    """
    if not rosters:
        raise _refused("there is no roster to know anybody by", "name a roster")
    return [_role(_person(principal, roster, at), roles) for roster in rosters][-1]


def signed_in_role(
    token: Token,
    principal: str,
    roles: Sequence[str],
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    namespace: str,
    at: datetime,
) -> str:
    """The first of ``roles`` that ``principal``, who signed the token, holds at ``at`` by every roster.

    Raises ApprovalError when somebody else signed it, or they are not active or hold none of the roles.
    """
    role = role_of(principal, roles, rosters, at)
    for roster in rosters:
        keys = _person(principal, roster, at).keys_at(at)
        if signatures.signer(token.body, token.signature, namespace=namespace, keys=keys) is None:
            raise _not_signed_by(f"a key of {principal}", "sign it again")
    return role


def stamped_in_role(
    token: Token,
    principal: str,
    roles: Sequence[str],
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    namespace: str,
    at: datetime,
) -> str:
    """As `signed_in_role`, where the identity gateway says that ``principal`` was logged in.

    Raises ApprovalError when no gateway stamped it that every roster names.
    """
    role = role_of(principal, roles, rosters, at)
    for roster in rosters:
        keys = roster.machine_keys("gateway", at)
        if signatures.signer(token.body, token.signature, namespace=namespace, keys=keys) is None:
            raise _not_signed_by("an identity gateway", "log in at the gateway, and do it again")
    return role


def _person(principal: str, roster: Roster, at: datetime) -> Person:
    person = roster.find(principal)
    if person is None:
        # As text of a program, and cut: a stranger chose it.
        said = repr(principal[:63])
        raise _refused(f"{said} is not in version {roster.version} of the roster", "write the id of somebody who is")
    if not person.active(at.date()):
        raise _refused(f"{principal} is not active today", "ask somebody who is")
    return person


def _role(person: Person, roles: Sequence[str]) -> str:
    role = person.role_among(roles)
    if role is None:
        raise _refused(f"{person.id} holds no role that may do this", f"ask one of: {', '.join(roles)}")
    return role


def _not_signed_by(whose: str, remedy: str) -> ApprovalError:
    return _refused(f"it is not signed by {whose} that the roster names and nobody has revoked", remedy)


def _refused(problem: str, remedy: str) -> ApprovalError:
    return ApprovalError(f"{problem}.", where="roster", remedy=f"{remedy}.")
