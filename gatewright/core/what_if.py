"""``KEY=VALUE`` changes of a policy, written shortly: by a rule's id and field, or by a metric that one rule has."""

import difflib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from gatewright.core.errors import SpecError
from gatewright.core.policy import Policy, Rule

__all__ = ["with_changes"]

# What may be set of a rule, and of the policy itself.
FIELDS = (
    "better", "decide_on", "margin", "maximum", "metric", "minimum", "minimum_effect", "minimum_n", "multiplicity",
    "needs_champion", "severity", "slices", "test",
)  # fmt: skip
OF_THE_POLICY = ("alpha", "first_release", "minimum_support", "power", "review_at_warnings")
_BOUNDS = {"min_": "minimum", "minimum_": "minimum", "max_": "maximum", "maximum_": "maximum"}
# As people call them, and as they are measured.
_SHORT = {
    "ece": "expected_calibration_error",
    "fnr": "false_negative_rate",
    "fpr": "false_positive_rate",
    "tnr": "specificity",
    "tpr": "recall",
}
_LIMITS = ("minimum", "maximum", "margin", "minimum_effect")


def with_changes(policy: Policy, changes: Iterable[str]) -> Policy:
    """``policy`` with each ``KEY=VALUE`` applied in turn.

    A key is ``RULE.field``; a rule's id alone, where it has one limit; ``min_`` or ``max_`` with a rule's id or a
    metric, where one rule has it; or a field of the policy, such as ``alpha``. Raises SpecError, which names what
    there is, for any other key, and for a value that makes no valid policy.
    """
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not value.strip():
            raise _refused(change, "it is no KEY=VALUE.", "write it as in --set auc-floor.minimum=0.8.")
        policy = _changed(policy, key.strip(), _parsed(value.strip()), change)
    return policy


def _changed(policy: Policy, key: str, value: Any, change: str) -> Policy:
    document = policy.model_dump(mode="json", exclude_unset=True)
    if key in OF_THE_POLICY:
        document[key] = value
    else:
        place, field = _target(policy.rules, key, change)
        document["rules"][place][field] = value
    try:
        return Policy.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise _refused(change, f"it makes no valid policy: {problem}.", "choose another value.") from None


def _target(rules: Sequence[Rule], key: str, change: str) -> tuple[int, str]:
    """Which rule, by its place, and which field of it."""
    ids = [rule.id for rule in rules]
    if key in ids:
        return ids.index(key), _only_limit(rules[ids.index(key)], change)
    name, _, field = key.rpartition(".")
    if name in ids:
        if field in FIELDS:
            return ids.index(name), field
        raise _refused(change, f"a rule has no `{field[:40]}` to set.", f"name one of: {', '.join(FIELDS)}.")
    for prefix, bound in _BOUNDS.items():
        if key.startswith(prefix):
            return _by_metric(rules, key.removeprefix(prefix), bound, change), bound
    near = difflib.get_close_matches(name or key, ids, n=3, cutoff=0.4) or ids
    raise _refused(change, f"there is no rule `{key[:80]}`.", _candidates(near))


def _by_metric(rules: Sequence[Rule], name: str, bound: str, change: str) -> int:
    ids = [rule.id for rule in rules]
    if name in ids:
        return ids.index(name)
    metric = _SHORT.get(name, name)
    ours = [rule for rule in rules if rule.metric == metric and rule.test == "limit"]
    bounded = [rule for rule in ours if getattr(rule, bound) is not None] or ours
    if len(bounded) == 1:
        return ids.index(bounded[0].id)
    if bounded:
        named = [f"{rule.id}.{bound}" for rule in bounded]
        raise _refused(change, f"{len(bounded)} rules limit `{metric}`.", _candidates(named))
    known = sorted({rule.metric for rule in rules if rule.test == "limit"})
    near = difflib.get_close_matches(metric, known, n=3, cutoff=0.4) or known
    raise _refused(change, f"no rule limits `{metric[:80]}`.", _candidates(f"{bound[:3]}_{one}" for one in near))


def _only_limit(rule: Rule, change: str) -> str:
    given = [field for field in _LIMITS if getattr(rule, field) is not None]
    if len(given) == 1:
        return given[0]
    fields = given or ["minimum_effect" if rule.test == "superiority" else "minimum"]
    raise _refused(
        change, f"`{rule.id}` has {len(given) or 'no'} limits.", _candidates(f"{rule.id}.{field}" for field in fields)
    )


def _parsed(text: str) -> Any:
    """A JSON value, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _candidates(names: Iterable[str]) -> str:
    return f"name one of: {', '.join(list(names)[:12])}."


def _refused(change: str, problem: str, remedy: str) -> SpecError:
    return SpecError(problem, where=f"--set {change[:120]}", remedy=remedy)
