"""Why a release stands where it stands: for each rule what was found, how far it is from the limit, and what to do."""

from collections.abc import Mapping
from typing import Literal

from gatewright.core.next_steps import excused_rules, may_waive, next_steps
from gatewright.core.records import Record, Sha256
from gatewright.core.release_view import ReleaseView
from gatewright.core.remedies import Step
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.core.waivers import waiver_for

__all__ = ["Explanation", "Proof", "Weight", "explain", "headroom"]

Weight = Literal["blocks", "warns", "waived", "excused", "reported only", "passes"]
# The weightiest first.
_ORDER: tuple[Weight, ...] = ("blocks", "warns", "waived", "excused", "reported only", "passes")
_SEVERITIES: dict[Severity, Weight] = {
    Severity.BLOCK: "blocks",
    Severity.WARN: "warns",
    Severity.SHADOW: "reported only",
}


class Proof(Record):
    """Where a result comes from: the stage's evidence by its digest, None where the stage left none."""

    stage: str
    sha256: Sha256 | None
    note: str


class Explanation(Record):
    """One rule on one slice.

    ``margin`` is how far inside the limit the value lies, ``margin_of_interval`` how far its worst end does, both in
    the metric's unit and negative beyond the limit; None where nothing was measured. ``owner`` answers for the rule,
    ``may_waive`` are the people who may pass it over for a time; ``waived`` says who has.
    """

    result: CheckResult
    weight: Weight
    purpose: str
    effect: str
    margin: float | None
    margin_of_interval: float | None
    proof: Proof
    owner: str
    may_waive: tuple[str, ...]
    waived: str | None
    next_steps: tuple[Step, ...]


def explain(view: ReleaseView) -> tuple[Explanation, ...]:
    """Every result of the decision, the weightiest first, else in the policy's order; empty before it was decided."""
    results = view.decision.results if view.decision else ()
    digests = {name: stage.digest for name, stage in view.stages.items()}
    found = [_explained(view, result, digests) for result in results]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.weight)))


def headroom(result: CheckResult, *, worst: bool = False) -> float | None:
    """How far inside its limits the value lies, or with ``worst`` the end of its interval that is nearest to one."""
    low = high = result.value
    if worst:
        low, high = (result.interval.low, result.interval.high) if result.interval else (None, None)
    if low is None or high is None:
        return None
    rooms = [low - result.minimum] if result.minimum is not None else []
    rooms += [result.maximum - high] if result.maximum is not None else []
    return min(rooms, default=None)


def _explained(view: ReleaseView, result: CheckResult, digests: Mapping[str, str]) -> Explanation:
    rule = next((rule for rule in view.policy.rules if rule.id == result.rule), None)
    waiver = waiver_for(result, view.decision.waivers if view.decision else ())
    weight = _weight(view, result)
    return Explanation(
        result=result,
        weight=weight,
        purpose=rule.reason if rule else "",
        effect=_effect(view, weight),
        margin=headroom(result),
        margin_of_interval=headroom(result, worst=True),
        proof=_proof(view, result, digests),
        owner=view.policy.owner,
        may_waive=may_waive(view),
        waived=None if waiver is None else str(waiver),
        next_steps=next_steps(view, result),
    )


def _weight(view: ReleaseView, result: CheckResult) -> Weight:
    if result.status is Status.PASSED:
        return "passes"
    if result.rule in excused_rules(view):
        return "excused"
    waived = view.decision is not None and view.decision.waiver_for(result) is not None
    return "waived" if waived else _SEVERITIES[result.severity]


def _effect(view: ReleaseView, weight: Weight) -> str:
    """What it does to the release, in a sentence."""
    if weight == "warns":
        return _warning(view)
    return {
        "blocks": "it alone stops the release",
        "waived": "it does not count, but people must approve the release",
        "excused": "it does not count: no champion served",
        "reported only": "it is watched, and decides nothing",
        "passes": "it holds",
    }[weight]


def _warning(view: ReleaseView) -> str:
    from_on, results = view.policy.review_at_warnings, view.decision.results if view.decision else ()
    count = sum(_weight(view, result) == "warns" for result in results)
    so_far = "this one is the only one" if count == 1 else f"there are {count}"
    return f"it does not stop the release; from {from_on} warnings on it is held for a review, {so_far}"


def _proof(view: ReleaseView, result: CheckResult, digests: Mapping[str, str]) -> Proof:
    measured = view.find(result.stage, result.metric, result.slice)
    return Proof(stage=result.stage, sha256=digests.get(result.stage), note=measured.note if measured else "")
