"""The gate policy: rules, severities, tiers, window. Written by risk people as YAML under ``policies/``.

A ``RuleSet`` is the short form for the command line: rules and error rates, without tiers and monitoring.
"""

import re
from collections.abc import Collection
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, StringConstraints, model_serializer, model_validator

from gatewright.core.assurance import Assurance
from gatewright.core.change_control import ChangeControl
from gatewright.core.directions import Direction, direction_of
from gatewright.core.records import Name, Record
from gatewright.core.results import Severity
from gatewright.core.strict_yaml import parse_yaml
from gatewright.core.tiers import Facts, Tier

__all__ = [
    "BreakGlass",
    "HoldoutBudget",
    "Limit",
    "Monitoring",
    "MonitoringRule",
    "Multiplicity",
    "Need",
    "Policy",
    "Response",
    "RollbackTerms",
    "Rule",
    "RuleSet",
    "Test",
    "WaiverTerms",
    "default_rules",
    "parse_rules",
]

Text = Annotated[str, StringConstraints(min_length=1)]
Response = Literal["record", "alert", "retrain", "rollback"]
Test = Literal["limit", "superiority", "non_inferiority", "equivalence"]
Multiplicity = Literal["intersection_union", "holm", "benjamini_hochberg"]
# What a command was given; a rule that needs more does not apply.
Need = Literal[
    "scores", "predictions", "champion", "champion_scores", "sensitive",
    "binary", "multiclass", "classification", "regression",
]  # fmt: skip
CHANGE = "_change"
_OF_A_POLICY = re.compile(r"""^["']?(tiers|monitoring|model)["']?\s*:""", re.MULTILINE)


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
    def _can_be_judged(self) -> Self:
        self._check()
        return self

    def _check(self) -> None:
        if self.minimum is None and self.maximum is None:
            raise ValueError("a rule needs `minimum` or `maximum`")
        if self.minimum is not None and self.maximum is not None and not self.minimum <= self.maximum:
            raise ValueError("`minimum` exceeds `maximum`: nothing could pass")

    def speaks_of(self, slice_name: str) -> bool:
        return slice_name != "all" if self.slices == "each" else slice_name == self.slices


class Rule(Limit):
    """What one metric must show.

    Below ``minimum_n`` rows (or calls) nothing is decided; by default below the minimum support, on an interval.
    ``test: limit`` (the default) holds the metric against ``minimum`` and ``maximum``. The others hold its
    change to the champion (candidate minus champion, paired): ``superiority`` asks for better by more than
    ``minimum_effect``, ``non_inferiority`` for not worse by ``margin``, ``equivalence`` for neither better
    nor worse by ``margin``. ``better`` is for metrics whose direction the core does not know.
    ``multiplicity`` is for ``slices: each``; under ``holm`` and ``benjamini_hochberg`` ``minimum_effect`` is
    the harm beyond the limit that must not be overlooked. ``needs_champion`` marks limits on a change
    or on what the champion has seen, which a first release cannot have; ``needs`` is for rule sets: what must be
    given for the rule to apply.
    """

    # Only in a rule set may it be left out: the command has no stages.
    stage: Name = "check"
    severity: Severity
    minimum_n: Annotated[int, Field(ge=0)] | None = None
    test: Test = "limit"
    margin: Annotated[float, Field(gt=0)] | None = None
    minimum_effect: Annotated[float, Field(gt=0)] | None = None
    better: Direction | None = None
    multiplicity: Multiplicity = "intersection_union"
    needs_champion: bool = False
    needs: tuple[Need, ...] = ()

    def _check(self) -> None:
        if self.test == "limit":
            self._check_limit()
        else:
            self._check_test()
        if self.multiplicity != "intersection_union":
            self._check_multiplicity()

    def _check_limit(self) -> None:
        super()._check()
        if self.margin is not None:
            raise ValueError("`margin` belongs to `test: non_inferiority` and `test: equivalence`")

    def _check_test(self) -> None:
        if self.minimum is not None or self.maximum is not None:
            raise ValueError(f"`test: {self.test}` sets the limits itself: give `margin` or `minimum_effect` instead")
        if self.decide_on != "interval":
            raise ValueError(f"`test: {self.test}` decides on the interval")
        if (self.margin is not None) != (self.test in ("non_inferiority", "equivalence")):
            raise ValueError("`margin` is needed by `non_inferiority` and `equivalence`, and by no other test")
        known = direction_of(self.metric)
        if known and self.better and known != self.better:
            raise ValueError(f"for `{self.metric}` {known} is better")
        if self.test != "equivalence" and not (known or self.better):
            raise ValueError(f"it is not known which way `{self.metric}` is better: give `better: higher` or `lower`")

    def _check_multiplicity(self) -> None:
        if self.slices != "each":
            raise ValueError(f"`multiplicity: {self.multiplicity}` is for `slices: each`")
        if self.test == "superiority":
            raise ValueError(f"`multiplicity: {self.multiplicity}` looks for harm, which `superiority` does not test")
        if self.decide_on != "interval":
            raise ValueError(f"`multiplicity: {self.multiplicity}` needs p-values, and they come from intervals")
        if self.multiplicity == "benjamini_hochberg" and self.severity is Severity.BLOCK:
            raise ValueError("`benjamini_hochberg` explores: such a rule may `warn`, not `block` (use `holm`)")

    @property
    def measured_as(self) -> str:
        """The metric whose measurements the rule judges: of a test, the change to the champion."""
        return self.metric if self.test == "limit" else self.metric.removesuffix(CHANGE) + CHANGE

    @property
    def compares(self) -> bool:
        """Whether the rule has nothing to judge while no champion serves."""
        return self.needs_champion or self.test != "limit"

    @property
    def allowed(self) -> tuple[float | None, float | None]:
        """The smallest and the largest value the rule allows; None where that side is open."""
        if self.test == "limit":
            return self.minimum, self.maximum
        if self.test == "equivalence":
            return -(self.margin or 0.0), self.margin
        edge = self.minimum_effect or 0.0 if self.test == "superiority" else -(self.margin or 0.0)
        return (edge, None) if (direction_of(self.metric) or self.better) == "higher" else (None, -edge)

    def missing(self, given: Collection[str]) -> tuple[Need, ...]:
        """What the rule needs and was not ``given``."""
        return tuple(need for need in self.needs if need not in given)


class RuleSet(Record):
    """Rules and their error rates. ``alpha``: the one-sided error rate of every interval decision.

    ``power``: the probability with which the smallest effect that a result names would have been seen.
    ``minimum_support``: a group with fewer rows (or, for rates, fewer rows in the denominator) is
    inconclusive. ``review_at_warnings``: this many results of warn rules (one a slice) that did not pass turn
    ``promote`` into ``review``; None: warnings are only shown.
    """

    alpha: Annotated[float, Field(gt=0, le=0.25)]
    power: Annotated[float, Field(ge=0.5, lt=1)] = 0.8
    minimum_support: Annotated[int, Field(ge=1)]
    review_at_warnings: Annotated[int, Field(ge=1)] | None = None
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_rule_an_id(self) -> Self:
        _refuse_equal_ids(self.rules)
        return self

    @property
    def confidence(self) -> float:
        """Two-sided confidence of intervals whose each side has error ``alpha``."""
        return 1 - 2 * self.alpha


class MonitoringRule(Limit):
    """A limit on a metric of production traffic and how far the response goes when it is broken."""

    response: Response


class Monitoring(Record):
    """Below ``minimum_rows`` predictions (or labelled ones) nothing is decided: ``inconclusive``."""

    minimum_rows: Annotated[int, Field(ge=1)]
    minimum_labels: Annotated[int, Field(ge=1)]
    rules: Annotated[tuple[MonitoringRule, ...], Field(min_length=1)]


class HoldoutBudget(Record):
    """How many releases may look at the same evaluation data.

    ``step``: differences below it are taken for chance when the bound on the holdout's error is stated.
    """

    budget: Annotated[int, Field(ge=1)]
    step: Annotated[float, Field(gt=0, le=0.5)] = 0.01


class WaiverTerms(Record):
    """Who may waive a rule that did not pass, by a signature, and for how many days at most."""

    roles: Annotated[tuple[Name, ...], Field(min_length=1)]
    maximum_days: Annotated[float, Field(gt=0, le=366)]


class BreakGlass(Record):
    """Who may put a model into production alone in an emergency, and for how many hours that holds."""

    roles: Annotated[tuple[Name, ...], Field(min_length=1)]
    hours: Annotated[float, Field(gt=0, le=24 * 14)]


class RollbackTerms(Record):
    """Who may put an earlier model back, and how surely they must be known."""

    roles: Annotated[tuple[Name, ...], Field(min_length=1)]
    assurance: Assurance


class Policy(RuleSet):
    """The gate rules of one model, who approves, and what production traffic is held against.

    ``serving_timeout_seconds``: how long a promotion waits for the target. ``holdout``: how often the same
    evaluation data may be used; None counts the uses without a budget. ``changed_by``: who must sign the next version;
    without it any change of the file is the next version, unsigned. Without ``waivers`` and ``break_glass`` there
    are none. Without ``rollback`` whoever holds a role of a tier may roll back, by a typed name.
    """

    model: Name
    version: Annotated[int, Field(ge=1)]
    owner: Text
    changed_by: ChangeControl | None = None
    review_at_warnings: Annotated[int, Field(ge=1)]
    first_release: Literal["review", "block"]
    serving_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 60
    holdout: HoldoutBudget | None = None
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    waivers: WaiverTerms | None = None
    break_glass: BreakGlass | None = None
    rollback: RollbackTerms | None = None
    monitoring: Monitoring

    @model_serializer(mode="wrap")
    def _as_before_without_rollback(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Policies that were signed before there was this part keep the digest that was signed.
        found: dict[str, Any] = dump(self)
        if found.get("rollback", ...) is None:
            del found["rollback"]
        return found

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _refuse_equal_ids(self.monitoring.rules)
        covered = {outcome for tier in self.tiers if tier.when is None for outcome in tier.outcomes}
        if covered != {"promote", "review"}:
            raise ValueError("the tiers without `when` must cover both `promote` and `review`")
        if len({tier.name for tier in self.tiers}) != len(self.tiers):
            raise ValueError("two tiers have the same name")
        for rule in self.rules:
            if "stage" not in rule.model_fields_set:
                raise ValueError(f"the rule `{rule.id}` of a policy must name its `stage`")
            if rule.needs:
                raise ValueError(f"`needs` of `{rule.id}` is for rule sets: a policy has no rule that does not apply")
        return self

    @property
    def rollback_roles(self) -> tuple[str, ...]:
        """Who may put an earlier model back."""
        return self.rollback.roles if self.rollback else tuple(sorted({r for tier in self.tiers for r in tier.roles}))

    @property
    def rollback_assurance(self) -> Assurance:
        """How surely whoever does so must be known."""
        return self.rollback.assurance if self.rollback else "declared"

    def tier(self, outcome: str, facts: Facts) -> Tier:
        """The first tier that fits a decision ``promote`` or ``review`` on a release of which these facts hold."""
        return next(tier for tier in self.tiers if tier.fits(outcome, facts))

    def named_tier(self, name: str | None) -> Tier:
        """The tier that a decision names. Raises ValueError for one that nobody is asked about."""
        for tier in self.tiers:
            if tier.name == name:
                return tier
        raise ValueError(f"the policy has no tier `{name}`")


def _refuse_equal_ids(rules: tuple[Limit, ...]) -> None:
    if len({rule.id for rule in rules}) != len(rules):
        raise ValueError("two rules have the same id")


def parse_rules(text: str, *, where: str) -> RuleSet:
    """A policy, or the short form without tiers and monitoring. Raises SpecError as `parse_yaml`."""
    return parse_yaml(text, Policy if _OF_A_POLICY.search(text) else RuleSet, where=where)


def default_rules() -> RuleSet:
    """The rules ``gatewright check`` uses when it is given none."""
    resource = files("gatewright.core").joinpath("default_rules.yaml")
    return parse_rules(resource.read_text(encoding="utf-8"), where=str(resource))
