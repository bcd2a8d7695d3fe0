"""The gate policy: rules, severities, tiers, window. Written by risk people as YAML under ``policies/``."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from gatewright.core.records import Name, Record
from gatewright.core.results import Severity

__all__ = ["Limit", "Monitoring", "MonitoringRule", "Policy", "Response", "Rule", "Tier"]

Text = Annotated[str, StringConstraints(min_length=1)]
Response = Literal["record", "alert", "retrain", "rollback"]
Outcome = Literal["promote", "review", "block"]


class Limit(Record):
    """The allowed range of one metric, and why.

    ``slices``: ``all`` for the whole data, ``each`` for every slice but ``all``, or the name of one slice.
    ``decide_on: interval`` (the default) asks that the whole confidence interval respects the limit;
    ``value`` is for exact counts.
    """

    id: Name
    metric: Text
    slices: str = "all"
    minimum: float | None = None
    maximum: float | None = None
    decide_on: Literal["interval", "value"] = "interval"
    reason: Text

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise ValueError("a rule needs `minimum` or `maximum`")
        if self.minimum is not None and self.maximum is not None and not self.minimum <= self.maximum:
            raise ValueError("`minimum` exceeds `maximum`: nothing could pass")
        return self

    def speaks_of(self, slice_name: str) -> bool:
        return slice_name != "all" if self.slices == "each" else slice_name == self.slices


class Rule(Limit):
    """A limit on what a stage measures; below ``minimum_n`` rows nothing is decided.

    ``needs_champion`` marks rules on the change to the champion, which a first release cannot have.
    """

    stage: Name
    severity: Severity
    minimum_n: Annotated[int, Field(ge=0)] = 0
    needs_champion: bool = False


class Tier(Record):
    """Who must approve, how many of them, and within which time. The first tier that matches decides."""

    name: Name
    outcomes: Annotated[tuple[Literal["promote", "review"], ...], Field(min_length=1)]
    approvals: Annotated[int, Field(ge=0)]
    roles: tuple[Name, ...]
    window_hours: Annotated[float, Field(gt=0, le=24 * 90)]

    @model_validator(mode="after")
    def _somebody_may_approve(self) -> Self:
        if self.approvals and not self.roles:
            raise ValueError("a tier that asks for approvals must name roles")
        return self


class MonitoringRule(Limit):
    """A limit on a metric of production traffic and how far the response goes when it is broken."""

    response: Response


class Monitoring(Record):
    """Below ``minimum_rows`` predictions (or labelled ones) nothing is decided: ``inconclusive``."""

    minimum_rows: Annotated[int, Field(ge=1)]
    minimum_labels: Annotated[int, Field(ge=1)]
    rules: Annotated[tuple[MonitoringRule, ...], Field(min_length=1)]


class Policy(Record):
    """The gate rules of one model. ``alpha`` is the one-sided error rate of every interval decision.

    ``review_at_warnings``: this many results of warn rules (one a slice) that did not pass turn ``promote``
    into ``review``.
    ``minimum_support``: a group with fewer rows (or, for rates, fewer rows in the denominator) is
    inconclusive. ``serving_timeout_seconds``: how long a promotion waits for the target.
    """

    model: Name
    version: Annotated[int, Field(ge=1)]
    owner: Text
    alpha: Annotated[float, Field(gt=0, le=0.25)]
    minimum_support: Annotated[int, Field(ge=1)]
    first_release: Literal["review", "block"]
    review_at_warnings: Annotated[int, Field(ge=1)]
    serving_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 60
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    monitoring: Monitoring

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for rules in (self.rules, self.monitoring.rules):
            if len({rule.id for rule in rules}) != len(rules):
                raise ValueError("two rules have the same id")
        covered = {outcome for tier in self.tiers for outcome in tier.outcomes}
        if covered != {"promote", "review"}:
            raise ValueError("the tiers must cover both `promote` and `review`")
        return self

    @property
    def confidence(self) -> float:
        """Two-sided confidence of intervals whose each side has error ``alpha``."""
        return 1 - 2 * self.alpha

    def tier(self, outcome: str) -> Tier:
        """The first tier for a decision ``promote`` or ``review``."""
        return next(tier for tier in self.tiers if outcome in tier.outcomes)
