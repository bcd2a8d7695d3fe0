"""What differs between two releases, and which changes of numbers their intervals show."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.number_diff import NumberDiff, difference
from gatewright.core.release_diff import diff_releases
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Measurement, StageEvidence
from tests.services.reports.example_view import (
    DATA,
    STAGES,
    dataset,
    example_view,
    group,
    measured,
    stage,
)


def earlier(*stages: StageEvidence, release_id: str = "triage-1999-1") -> ReleaseView:
    """A release before the example's, by default the one that made its champion."""
    view = example_view(stages={one.stage: one for one in stages})
    opening = view.opening.model_copy(update={"release_id": release_id, "period": "1999"})
    return replace(view, opening=opening)


def number_of(numbers: tuple[NumberDiff, ...], metric: str, slice_name: str = "all") -> NumberDiff:
    (found,) = [n for n in numbers if (n.metric, n.slice) == (metric, slice_name)]
    return found


def test_against_its_champion_a_candidate_is_compared_on_the_same_rows():
    """By hand: 0.858 and a change of 0.03 make 0.828 for the champion; the change's own interval decides."""
    found = diff_releases(earlier(), example_view())
    auc = number_of(found.numbers, "auc")
    assert (found.paired, auc.paired, auc.before_interval) == (True, True, None)
    assert (round(auc.before or 0, 9), auc.after, auc.shown) == (0.828, 0.858, "better")
    assert number_of(found.numbers, "log_loss").shown == "better"
    assert number_of(found.numbers, "recall").shown == "not shown"


def test_against_any_other_release_the_interval_is_of_independent_rows():
    """Zou and Donner by hand: 0.1 - sqrt(0.03^2 + 0.04^2) and 0.1 + sqrt(0.03^2 + 0.04^2)."""
    before = earlier(stage("evaluate", measured("auc", 0.7, 0.66, 0.74)), release_id="triage-1998-1")
    after = example_view(stages={"evaluate": stage("evaluate", measured("auc", 0.8, 0.77, 0.83))})
    auc = number_of(diff_releases(before, after).numbers, "auc")
    assert auc.paired is False
    assert auc.change_interval is not None
    assert (round(auc.change_interval.low, 9), round(auc.change_interval.high, 9)) == (0.05, 0.15)
    assert (auc.before, auc.shown) == (0.7, "better")


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=3), st.lists(st.floats(-100, 100), min_size=3, max_size=3))
def test_a_difference_holds_the_change_and_is_at_least_as_wide_as_either(first, second):
    """And the other way round it is its mirror image."""
    before, after = (measured("auc", v[1], v[0], v[2]) for v in (sorted(first), sorted(second)))
    there, back = difference(before, after), difference(after, before)
    change = after.value - before.value
    assert there.low <= change <= there.high
    assert there.high - there.low >= max(i.interval.high - i.interval.low for i in (before, after)) - 1e-9
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_what_has_no_interval_or_another_confidence_cannot_be_told():
    """Two exact counts of other rows show nothing; a 90 % interval says less than one of 95 %."""
    one = measured("auc", 0.7, 0.66, 0.74)
    other = one.model_copy(update={"interval": one.interval.model_copy(update={"confidence": 0.95})})
    assert difference(one, other) is None
    assert difference(one, Measurement(metric="auc", value=0.8, n=9)) is None
    before = earlier(stage("evaluate", other), release_id="triage-1998-1")
    after = example_view(stages={"evaluate": stage("evaluate", one)})
    assert number_of(diff_releases(before, after).numbers, "auc").shown == "cannot tell"


def test_groups_are_compared_by_their_rates_where_they_have_rows_enough():
    """65+ has 22 rows, of which the policy says that they are too few."""
    rows = [group("age_band", "16-24", 1300, 50, (0.4, 0.35, 0.45)), group("age_band", "65+", 22, 9, (0.9, 0.8, 0.95))]
    before = earlier(stage("fairness", details={"groups": rows}))
    numbers = diff_releases(before, example_view()).numbers
    young = number_of(numbers, "true_positive_rate", "age_band=16-24")
    assert (young.before, young.after, young.shown) == (0.4, 0.7, "better")
    assert not [n for n in numbers if n.slice == "age_band=65+"]


def test_data_say_periods_rows_digests_and_failed_expectations():
    """The training data grew by a year and lost a warning."""
    before = earlier(stage("validate", *STAGES["validate"].measurements[:1]))
    before = replace(before, data=DATA.model_copy(update={"training": dataset("training", ("1998",), 4000)}))
    training, evaluation = diff_releases(before, example_view()).data
    assert training.periods == (("1998",), ("1998", "1999"))
    assert training.rows == (4000, 8000)
    assert training.sha256[0] != training.sha256[1]
    assert training.failed == {"critical": (0, 0), "warning": (None, 1)}
    assert evaluation.sha256[0] == evaluation.sha256[1]


def test_features_libraries_code_policy_and_spec_are_told_apart():
    """Each by its name; which way a policy goes is said too."""
    after = example_view()
    opening = after.opening.model_copy(update={"features": ("speed", "belt", "doors"), "code_revision": "f" * 40})
    rules = tuple(
        rule.model_copy(update={"maximum": 0.5}) if rule.id == "equal-opportunity" else rule
        for rule in after.policy.rules
    )
    changed = replace(
        after,
        opening=opening,
        policy=after.policy.model_copy(update={"rules": rules}),
        spec=after.spec.model_copy(update={"seed": 7}),
        candidate=after.candidate.model_copy(update={"versions": {"python": "3.11.9", "scikit-learn": "1.9.2"}}),
    )
    found = diff_releases(earlier(), changed)
    assert (found.features.added, found.features.removed) == (("doors",), ("age",))
    assert found.dependencies.changed == {"scikit-learn": ("1.9.1", "1.9.2")}
    assert found.code == (earlier().opening.code_revision, "f" * 40)
    assert [(one.where, one.direction) for one in found.policy] == [("rule equal-opportunity", "loosens")]
    assert [one.sentence for one in found.spec] == ["`seed` changes from 0 to 7"]


def test_rules_are_listed_where_they_came_out_differently():
    """The drift of speed is new; the rest is as it was."""
    moved = stage("drift", *(m.model_copy(update={"value": 0.3}) for m in STAGES["drift"].measurements[:2]))
    found = diff_releases(earlier(), example_view(stages={"drift": moved}))
    told = [(one.slice, one.before, one.after) for one in found.rules]
    assert ("speed", "passed", "failed") in told
    assert ("belt", "passed", None) in told
    assert [name for name, _ in found.drift] == ["speed", "year_built"]


def test_two_equal_releases_differ_in_nothing():
    """Or every list would be noise."""
    found = diff_releases(earlier(), example_view())
    assert (found.rules, found.policy, found.spec) == ((), (), ())
    assert (bool(found.features), bool(found.dependencies)) == (False, False)
    assert found.lock_file_changed is False
