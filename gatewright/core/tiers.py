"""Risk tiers: from facts about a release to who must approve it, how surely, and within which time."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from gatewright.core.assurance import Assurance
from gatewright.core.records import Name, Record

__all__ = ["Conditions", "Facts", "Tier"]

Text = Annotated[str, StringConstraints(min_length=1)]


class Facts(Record):
    """What a tier is computed from. None: could not be told, and then every condition on it holds.

    ``score_shift``: population stability index of the candidate's answers against the champion's on the same rows.
    ``fairness_movement``: by how much the fairness gap that grew most has grown. ``warnings``: warn rules that did not
    pass. ``policy_changed``: the policy is another version than the one the champion was released under.
    """

    sensitive_domain: bool | None
    personal_data: bool | None
    first_release: bool
    policy_changed: bool | None
    score_shift: float | None
    fairness_movement: float | None
    warnings: Annotated[int, Field(ge=0)]


class Conditions(Record):
    """The tier is for releases of which any of these is true; numbers are reached or exceeded."""

    sensitive_domain: Literal[True] | None = None
    personal_data: Literal[True] | None = None
    first_release: Literal[True] | None = None
    policy_changed: Literal[True] | None = None
    score_shift: Annotated[float, Field(gt=0)] | None = None
    fairness_movement: Annotated[float, Field(gt=0)] | None = None
    warnings: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("`when` needs at least one condition; leave it out for all releases")
        return self

    def met(self, facts: Facts) -> tuple[str, ...]:
        """The conditions that hold, in words; none when the tier is not for this release."""
        asked = self.model_dump(exclude_none=True)
        return tuple(
            _in_words(name, getattr(facts, name), limit)
            for name, limit in asked.items()
            if _holds(getattr(facts, name), limit)
        )


class Tier(Record):
    """Who must approve, how many distinct people, how surely they are known, and within which time.

    The first tier whose ``outcomes`` and ``when`` fit a release decides. With ``approvals: 0`` it rides through on its
    own. ``notify`` are roles that are told at once, ``escalate_to`` roles that are told when ``escalate_after_hours``
    have passed without a decision. A tier of high ``risk`` that asks less than ``signed`` must say why:
    ``unsigned_because``.
    """

    name: Name
    risk: Literal["low", "medium", "high"] = "medium"
    outcomes: Annotated[tuple[Literal["promote", "review"], ...], Field(min_length=1)]
    when: Conditions | None = None
    approvals: Annotated[int, Field(ge=0)]
    roles: tuple[Name, ...]
    assurance: Assurance = "declared"
    unsigned_because: Text | None = None
    window_hours: Annotated[float, Field(gt=0, le=24 * 90)]
    notify: tuple[Name, ...] = ()
    escalate_after_hours: Annotated[float, Field(gt=0)] | None = None
    escalate_to: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        if self.approvals and not self.roles:
            raise ValueError("a tier that asks for approvals must name roles")
        if bool(self.escalate_to) != (self.escalate_after_hours is not None):
            raise ValueError("`escalate_after_hours` and `escalate_to` belong together")
        if self.escalate_after_hours is not None and not self.escalate_after_hours < self.window_hours:
            raise ValueError("`escalate_after_hours` must be shorter than `window_hours`")
        return self

    @model_validator(mode="after")
    def _high_risk_is_signed(self) -> Self:
        weak = self.risk == "high" and (self.assurance != "signed" or self.approvals == 0)
        if weak and self.unsigned_because is None:
            raise ValueError("a tier of high risk asks for `assurance: signed`, or says `unsigned_because`")
        if not weak and self.unsigned_because is not None:
            raise ValueError("`unsigned_because` is for a tier of high risk that asks for less than a signature")
        return self

    def fits(self, outcome: str, facts: Facts) -> bool:
        return outcome in self.outcomes and (self.when is None or bool(self.when.met(facts)))


def _holds(value: bool | float | None, limit: bool | float) -> bool:
    if value is None:
        return True
    return bool(value) if isinstance(limit, bool) else not value < limit


def _in_words(name: str, value: bool | float | None, limit: bool | float) -> str:
    words = name.replace("_", " ")
    if value is None:
        return f"{words}: could not be told"
    return words if isinstance(limit, bool) else f"{words} {value:.4g} (from {limit:g} on)"
