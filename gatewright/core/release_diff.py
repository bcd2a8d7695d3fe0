"""What differs between two releases: data, features, numbers, verdicts, policy, dependencies, code."""

from collections.abc import Iterator, Mapping

from gatewright.core import policy_diff
from gatewright.core.document_diff import DOCUMENT, NEUTRAL, Change, Compare, changes_of, flat, keyed, members, optional
from gatewright.core.number_diff import NumberDiff, numbers
from gatewright.core.records import Record
from gatewright.core.refs import DatasetRef
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult, Status
from gatewright.core.spec import Card, ModelSpec

__all__ = ["DataDiff", "Listing", "ReleaseDiff", "RuleDiff", "diff_releases"]


class RuleDiff(Record):
    """A rule on a slice that did not come out alike; None where it was not judged."""

    rule: str
    slice: str
    before: Status | None
    after: Status | None


class DataDiff(Record):
    """One of the two data sets: what it is made of, in both releases. ``failed``: failed expectations by severity."""

    use: str
    periods: tuple[tuple[str, ...], tuple[str, ...]]
    rows: tuple[int, int]
    sha256: tuple[str, str]
    failed: Mapping[str, tuple[float | None, float | None]]


class Listing(Record):
    """Names that came, names that went, and versions that changed: name -> before, after."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, str]] = {}

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


class ReleaseDiff(Record):
    """From the release ``before`` to the release ``after``; ``paired`` when before made the champion of after."""

    before: str
    after: str
    paired: bool
    outcomes: tuple[str | None, str | None]
    rules: tuple[RuleDiff, ...]
    data: tuple[DataDiff, ...]
    drift: tuple[tuple[str, float], ...]
    features: Listing
    numbers: tuple[NumberDiff, ...]
    policy: tuple[Change, ...]
    spec: tuple[Change, ...]
    dependencies: Listing
    lock_file_changed: bool
    code: tuple[str, str]


def diff_releases(before: ReleaseView, after: ReleaseView, *, drifted: int = 5) -> ReleaseDiff:
    """What differs from ``before`` to ``after``. ``drifted``: so many features that moved most since the training."""
    champion = after.opening.champion
    paired = champion is not None and champion.release_id == before.opening.release_id
    return ReleaseDiff(
        before=before.opening.release_id,
        after=after.opening.release_id,
        paired=paired,
        outcomes=(_outcome(before), _outcome(after)),
        rules=tuple(_rules(before, after)),
        data=tuple(_data(before, after)),
        drift=tuple(_drift(after))[:drifted],
        features=_listing(dict.fromkeys(before.opening.features, ""), dict.fromkeys(after.opening.features, "")),
        numbers=tuple(numbers(before, after, paired=paired)),
        policy=policy_diff.diff(before.policy, after.policy),
        spec=changes_of(DOCUMENT, before.spec, after.spec, _SPEC),
        dependencies=_listing(_versions(before), _versions(after)),
        lock_file_changed=before.opening.environment_sha256 != after.opening.environment_sha256,
        code=(before.opening.code_revision, after.opening.code_revision),
    )


def _outcome(view: ReleaseView) -> str | None:
    return None if view.decision is None else view.decision.outcome


def _rules(before: ReleaseView, after: ReleaseView) -> Iterator[RuleDiff]:
    ours, theirs = _statuses(after), _statuses(before)
    for rule, slice_name in dict.fromkeys((*ours, *theirs)):
        pair = theirs.get((rule, slice_name)), ours.get((rule, slice_name))
        if pair[0] != pair[1]:
            yield RuleDiff(rule=rule, slice=slice_name, before=pair[0], after=pair[1])


def _statuses(view: ReleaseView) -> dict[tuple[str, str], Status]:
    results: tuple[CheckResult, ...] = view.decision.results if view.decision else ()
    return {(result.rule, result.slice): result.status for result in results}


def _data(before: ReleaseView, after: ReleaseView) -> Iterator[DataDiff]:
    if before.data is None or after.data is None:
        return
    for use in ("training", "evaluation"):
        first: DatasetRef = getattr(before.data, use)
        second: DatasetRef = getattr(after.data, use)
        yield DataDiff(
            use=use,
            periods=(first.periods, second.periods),
            rows=(first.rows, second.rows),
            sha256=(first.digest, second.digest),
            failed={name: (_failed(before, name, use), _failed(after, name, use)) for name in ("critical", "warning")},
        )


def _failed(view: ReleaseView, severity: str, use: str) -> float | None:
    found = view.find("validate", f"failed_{severity}_expectations", use)
    return None if found is None else found.value


def _drift(view: ReleaseView) -> list[tuple[str, float]]:
    """Population stability indexes between the release's training and evaluation data, the highest first."""
    stage = view.stages.get("drift")
    found = [(m.slice, m.value) for m in stage.measurements if m.metric == "psi"] if stage else []
    return sorted(((name, value) for name, value in found if value is not None), key=lambda one: (-one[1], one[0]))


def _versions(view: ReleaseView) -> Mapping[str, str]:
    return {} if view.candidate is None else view.candidate.versions


def _listing(before: Mapping[str, str], after: Mapping[str, str]) -> Listing:
    return Listing(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed={name: (before[name], after[name]) for name in after if name in before and before[name] != after[name]},
    )


_NEUTRAL = flat(NEUTRAL)


def _named(noun: str) -> Compare:
    return keyed(noun, "name", lambda one, _: dict.fromkeys(type(one).model_fields, _NEUTRAL), lambda _: NEUTRAL)


_SPEC: Mapping[str, Compare] = {
    **dict.fromkeys(ModelSpec.model_fields, _NEUTRAL),
    "features": members(NEUTRAL),
    "categorical": members(NEUTRAL),
    "trusted_types": members(NEUTRAL),
    "sensitive": _named("sensitive feature"),
    "perturbations": _named("perturbation"),
    "monotonicity": _named("monotonicity"),
    "invariances": _named("invariance"),
    "card": optional(dict.fromkeys(Card.model_fields, _NEUTRAL), NEUTRAL),
}
