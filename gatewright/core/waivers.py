"""Waivers: somebody answers, by name and for a time, for a rule that a candidate did not pass.

A waiver is signed, so it holds only as long as its signer could sign it again: until it expires, the signer leaves or
loses the role, or the key is revoked. It never turns a release into one that rides through on its own.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import StringConstraints

from gatewright.core.approval import CLOCK_SKEW, MINIMUM_REASON
from gatewright.core.assurance import Assurance
from gatewright.core.errors import ApprovalError
from gatewright.core.policy import Policy, WaiverTerms
from gatewright.core.records import Name, Record, Timestamp
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.core.roster import Roster
from gatewright.core.signatures import WAIVER, SignatureVerifier
from gatewright.core.standing import signed_in_role
from gatewright.core.tokens import parse_token

__all__ = [
    "EVERY_SLICE",
    "WAIVER_KIND",
    "Waiver",
    "WaiverStatement",
    "accept_waiver",
    "require_waivers",
    "valid_waivers",
    "waivable",
    "waiver_for",
]

WAIVER_KIND: Literal["waiver"] = "waiver"
EVERY_SLICE = "*"
# What could not be measured is not known well enough to be answered for.
_WAIVABLE = (Status.FAILED, Status.INCONCLUSIVE)


class WaiverStatement(Record):
    """What a person signs: results of ``rule`` on ``slice`` (``*``: on every slice) of ``model`` may be passed over."""

    kind: Literal["waiver"]
    model: Name
    rule: Name
    slice: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    principal: Name
    reason: Annotated[str, StringConstraints(max_length=2000)]
    issued: Timestamp
    expires: Timestamp


class Waiver(Record):
    """A statement as it was recorded: ``token`` proves it, ``role`` is the one in which it was signed."""

    statement: WaiverStatement
    role: str
    assurance: Assurance
    token: str

    def covers(self, result: CheckResult) -> bool:
        said = self.statement
        return said.rule == result.rule and said.slice in (EVERY_SLICE, result.slice)

    @property
    def in_full(self) -> str:
        """What is waived, and the sentence."""
        said = self.statement
        return f"{said.rule}{'' if said.slice == EVERY_SLICE else f' on {said.slice}'}: {self}"

    def __str__(self) -> str:
        """One sentence for people: who, until when, why."""
        said = self.statement
        return f"waived by {said.principal} ({self.assurance}) until {said.expires:%Y-%m-%d %H:%M} UTC: {said.reason}"


def accept_waiver(
    token: str, policy: Policy, rosters: Sequence[Roster], signatures: SignatureVerifier, *, at: datetime
) -> Waiver:
    """What a token waives, when its signer may waive it at ``at``.

    Raises ApprovalError as `waivable`, and for a person without the role, no reason, or a signature that does not hold.
    """
    parsed = parse_token(token)
    said = parsed.read(WaiverStatement)
    terms = waivable(said, policy, at=at)
    if len(said.reason.strip()) < MINIMUM_REASON:
        raise _refused("the reason is too short to be one", "say in at least ten characters why")
    role = signed_in_role(parsed, said.principal, terms.roles, rosters, signatures, namespace=WAIVER, at=at)
    return Waiver(statement=said, role=role, assurance="signed", token=token.strip())


def waivable(said: WaiverStatement, policy: Policy, *, at: datetime) -> WaiverTerms:
    """The terms under which somebody may sign ``said`` at ``at``; who signs it, and why, is not asked here.

    Raises ApprovalError for a rule that cannot be waived, and an expiry that is over or too far away.
    """
    if policy.waivers is None:
        raise _refused("the policy knows no waivers", "change the policy, or the candidate")
    _require_rule(said, policy)
    _require_time(said, policy.waivers, at)
    return policy.waivers


def valid_waivers(
    waivers: Iterable[Waiver],
    policy: Policy,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    author: str,
    at: datetime,
) -> tuple[Waiver, ...]:
    """Those that hold at ``at`` for a candidate of ``author``, each proven again from its own token."""
    proven = (_proven(waiver, policy, rosters, signatures, author, at) for waiver in waivers)
    return tuple(waiver for waiver in proven if isinstance(waiver, Waiver))


def require_waivers(
    waivers: Iterable[Waiver],
    policy: Policy,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    *,
    author: str,
    at: datetime,
) -> None:
    """Raises ApprovalError when one of the waivers that a decision rests on holds no longer."""
    for waiver in waivers:
        found = _proven(waiver, policy, rosters, signatures, author, at)
        if isinstance(found, ApprovalError):
            said = waiver.statement
            raise _refused(
                f"the waiver of `{said.rule}` by {said.principal} holds no longer: {found.problem.removesuffix('.')}",
                "have it signed again, and start a new release",
            )


def waiver_for(result: CheckResult, waivers: Iterable[Waiver]) -> Waiver | None:
    """The waiver of a result that did not pass, the one that holds longest; None when there is none."""
    if result.status not in _WAIVABLE or result.severity is Severity.SHADOW:
        return None
    covering = (waiver for waiver in waivers if waiver.covers(result))
    return max(covering, key=lambda w: (w.statement.expires, w.digest), default=None)


def _proven(
    waiver: Waiver,
    policy: Policy,
    rosters: Sequence[Roster],
    signatures: SignatureVerifier,
    author: str,
    at: datetime,
) -> Waiver | ApprovalError:
    try:
        found = accept_waiver(waiver.token, policy, rosters, signatures, at=at)
    except ApprovalError as error:
        return error
    if found.statement != waiver.statement:
        return _refused("what was recorded is not what was signed", "find out who changed it")
    if found.statement.principal == author:
        return _refused("the author of a candidate cannot waive a rule for it", "ask somebody else")
    return found


def _require_rule(said: WaiverStatement, policy: Policy) -> None:
    if said.model != policy.model:
        raise _refused(f"it is a waiver for the model {said.model}", f"sign one for {policy.model}")
    rule = next((rule for rule in policy.rules if rule.id == said.rule), None)
    if rule is None:
        known = ", ".join(rule.id for rule in policy.rules if rule.severity is not Severity.SHADOW)
        raise _refused(f"the policy has no rule `{said.rule}`", f"choose one of: {known}")
    if rule.severity is Severity.SHADOW:
        raise _refused(f"`{rule.id}` is reported only", "nothing needs to be waived")
    if said.slice != EVERY_SLICE and not rule.speaks_of(said.slice):
        raise _refused(f"`{rule.id}` does not speak of the slice {said.slice}", "name the slice as the evidence does")


def _require_time(said: WaiverStatement, terms: WaiverTerms, at: datetime) -> None:
    if not said.issued <= at + CLOCK_SKEW:
        raise _refused("it was signed in the future", "set your clock, sign again")
    if not said.issued < said.expires <= said.issued + timedelta(days=terms.maximum_days):
        raise _refused(f"it does not expire within {terms.maximum_days:g} days", "choose fewer --days")
    if not at <= said.expires:
        raise _refused("it has expired", "sign another one, if it is still needed")


def _refused(problem: str, remedy: str) -> ApprovalError:
    return ApprovalError(f"{problem}.", where="waiver", remedy=f"{remedy}.")
