"""Each rule that did not pass comes with its distance from the limit, its evidence, and what to do next."""

import json
import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.decision import decide
from gatewright.core.explanation import Explanation, explain, headroom
from gatewright.core.judging import judge
from gatewright.core.limits import Limits
from gatewright.core.next_steps import next_steps, release_step, rows_within
from gatewright.core.policy import Policy, WaiverTerms
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.results import CheckResult, Interval, Measurement, Severity, StageEvidence, Status
from gatewright.core.roster import Person, Roster
from tests.services.reports.example_view import (
    FACTS,
    NOON,
    POLICY,
    STAGES,
    counted,
    example_view,
    measured,
    stage,
)

PEOPLE = Roster(
    version=1,
    people=tuple(
        Person(id=name, name=name, roles=("compliance-officer",), joined=NOON.date())
        for name in ("kim.larsen", "sam.okafor")
    ),
)


def view_of(
    *stages: StageEvidence, champion: bool = True, waivers: WaiverTerms | None = None, **rule: object
) -> ReleaseView:
    """The example with other evidence; ``rule`` is one more rule of its policy."""
    extra = [{"id": "extra", "severity": "block", "reason": "Because.", **rule}] if rule else []
    given = POLICY.model_dump() | {"waivers": waivers and waivers.model_dump()}
    policy = Policy.model_validate(given | {"rules": [*POLICY.model_dump()["rules"], *extra]})
    view = replace(example_view(champion=champion), policy=policy, roster=PEOPLE)
    view = replace(view, stages=STAGES | {one.stage: one for one in stages})
    results = judge(policy, view.measurements(), has_champion=champion)
    decision = decide(policy, results, policy_sha256="2" * 64, has_champion=champion, facts=FACTS)
    return replace(view, decision=decision)


def one(view: ReleaseView, rule: str) -> Explanation:
    (found,) = [e for e in explain(view) if e.result.rule == rule and e.weight != "passes"]
    return found


def words(view: ReleaseView, rule: str) -> str:
    return " ".join(f"{step.words} {step.command or ''}" for step in one(view, rule).next_steps)


def test_the_weightiest_comes_first_and_what_passed_last():
    """A reader who stops early has read what counts."""
    view = view_of(stage("drift", counted("psi", 0.5, "age")), stage("evaluate", measured("auc", 0.6, 0.55, 0.65)))
    weights = [e.weight for e in explain(view)]
    assert weights[0] == "blocks"
    assert weights.index("warns") > weights.index("blocks")
    assert weights[-1] == "passes"


def test_the_distance_is_from_the_nearest_limit_and_negative_beyond_it():
    """By hand: 0.32 against at most 0.25 is 0.07 beyond; its evidence is the drift stage's."""
    found = one(view_of(), "feature-drift")
    assert (round(found.margin or 0, 9), found.margin_of_interval) == (-0.07, None)
    assert (found.proof.stage, found.proof.sha256) == ("drift", STAGES["drift"].digest)
    assert (found.owner, found.purpose) == ("Model Risk", "Another population.")


@given(
    value=st.floats(-1e6, 1e6), reach=st.floats(0, 1e6), low=st.none() | st.floats(-1e6, 1e6),
    width=st.none() | st.floats(0, 1e6),
)  # fmt: skip
def test_the_distance_is_negative_exactly_where_the_limits_do_not_hold(value, reach, low, width):
    """Of the value, and with ``worst`` of its whole interval."""
    high = None if width is None else (low or 0.0) + width
    interval = Interval(low=value - reach, high=value + reach, confidence=0.9, method="example")
    result = result_of(value=value, interval=interval, minimum=low, maximum=high)
    limits = Limits(low, high)
    for room, holds in (
        (headroom(result), limits.hold(value)),
        (headroom(result, worst=True), limits.hold_all(interval)),
    ):
        assert (room is None) if low is None and high is None else (room is not None and (room >= 0) == holds)


def result_of(**changes: object) -> CheckResult:
    given = {
        "rule": "r", "stage": "evaluate", "metric": "auc", "slice": "all", "value": 0.8, "interval": None,
        "minimum": None, "maximum": None, "n": 400, "status": Status.INCONCLUSIVE, "severity": Severity.BLOCK,
        "reason": "",
    }  # fmt: skip
    return CheckResult.model_validate(given | changes)


def test_rows_that_narrow_the_interval_are_computed_from_its_side():
    """By hand: 0.8 is 0.05 above the limit and reaches 0.1 below itself: twice too wide, so four times the rows."""
    wide = Interval(low=0.7, high=0.9, confidence=0.9, method="example")
    assert rows_within(result_of(interval=wide, minimum=0.75)) == 1600
    # On the other side of a limit that does not hold no number of rows helps.
    assert rows_within(result_of(interval=wide, minimum=0.85)) is None
    assert rows_within(result_of(interval=wide, minimum=0.8)) is None
    assert rows_within(result_of(interval=None, minimum=0.7)) is None


@pytest.mark.parametrize(
    ("stages", "rule", "expected"),
    [
        (stage("drift", counted("psi", 0.5, "age")), {}, ("feature-drift", "owner of `age`", '"features"')),
        (stage("drift", counted("psi", 0.5, "score")), {}, ("feature-drift", "which inputs moved", "--out evidence/")),
        (
            stage("evaluate", measured("auc", 0.78, 0.74, 0.82)), {},
            ("auc-floor", "about 7,467 rows instead of 4,200", "gatewright diff triage-2000-1"),
        ),
        (
            stage("evaluate", measured("auc", 0.8, 0.79, 0.81), measured("auc_change", -0.02, -0.03, -0.01)), {},
            ("better-than-champion", "the champion may stay", "gatewright diff"),
        ),
        (
            stage("evaluate", measured("auc", 0.8, 0.79, 0.81, n=20)), {},
            ("auc-floor", "at least 30 rows: there were 20", ""),
        ),
        (
            stage("fairness", measured("equal_opportunity_difference", 0.5, 0.4, 0.6, slice_name="age_band"),
                  details=STAGES["fairness"].details), {},
            ("equal-opportunity", "0.7 for 16-24 and 0.8 for 25-64", "retrain/retrain"),
        ),
        (
            stage("validate", counted("failed_critical_expectations", 2, "training")), {},
            ("training-data-valid", "an expectation in t.json asks too much", "--out evidence/"),
        ),
        (
            stage("validate"), {},
            ("training-data-valid", "could not be measured", "the stage `validate`"),
        ),
        (
            stage("slices", Measurement(metric="worst_changes_found", value=2, n=9, note="belt=none; speed=55+")),
            {"stage": "slices", "metric": "worst_changes_found", "maximum": 0, "decide_on": "value"},
            ("extra", "belt=none, speed=55+", "gatewright diff"),
        ),
        (
            stage("leakage", Measurement(metric="forbidden_features", value=1, n=3, note="`age`, `x`")),
            {"stage": "leakage", "metric": "forbidden_features", "maximum": 0, "decide_on": "value"},
            ("extra", "when `age` is written", "prefect deployment run retrain/retrain"),
        ),
        (
            stage("leakage", measured("champion_seen_rows", 0.5, 0.4, 0.6)),
            {"stage": "leakage", "metric": "champion_seen_rows", "maximum": 0, "decide_on": "value"},
            ("extra", "data that neither model has seen, such as a later period.", ""),
        ),
        (
            stage("leakage", Measurement(metric="champion_seen_rows", value=None, n=9, note="1999.parquet is gone")),
            {"stage": "leakage", "metric": "champion_seen_rows", "maximum": 0, "decide_on": "value"},
            ("extra", "Correct what the note names", ""),
        ),
        (
            stage("leakage", measured("single_feature_auc", 0.97, 0.96, 0.98, slice_name="belt")),
            {"stage": "leakage", "metric": "single_feature_auc", "slices": "each", "maximum": 0.9},
            ("extra", "when `belt` is written", "prefect deployment run retrain/retrain"),
        ),
        (
            stage("validate", *STAGES["validate"].measurements, counted("rows", 4200, "evaluation")),
            {"stage": "validate", "metric": "rows", "slices": "evaluation", "minimum": 5000, "decide_on": "value"},
            ("extra", "Bring 800 rows more: 4,200 of 5,000", ""),
        ),
        (
            stage("lineage", Measurement(metric="missing_card_fields", value=1, n=1, note="contact")),
            {"stage": "lineage", "metric": "missing_card_fields", "maximum": 0, "decide_on": "value"},
            ("extra", "under `card:` in model.yaml what only people know: contact", ""),
        ),
        (
            stage("robustness", measured("latency_p99_ms", 300, 290, 310)),
            {"stage": "robustness", "metric": "latency_p99_ms", "maximum": 250},
            ("extra", "smaller", "retrain/retrain"),
        ),
    ],
)  # fmt: skip
def test_the_next_step_names_what_was_measured(stages: StageEvidence, rule: dict, expected: tuple[str, str, str]):
    """Columns, groups, slices, files and numbers of rows, by the rule's kind."""
    rule_id, said, command = expected
    found = words(view_of(stages, **rule), rule_id)
    assert said in found
    assert command in found


def test_a_command_to_retrain_leaves_out_the_column_and_is_one_shell_word():
    """Prefect reads the parameters as JSON."""
    steps = one(view_of(stage("drift", counted("psi", 0.5, "age"))), "feature-drift").next_steps
    command = next(step.command for step in steps if step.command)
    parameters = shlex.split(command)[-1]
    assert json.loads(parameters) == {"model": "triage", "period": "2000", "features": ["speed", "belt"]}


def test_a_comparison_on_known_rows_is_made_again_where_no_model_was_trained():
    """The same candidate on the last period; on that one itself there is none to name."""
    seen = {"stage": "leakage", "metric": "champion_seen_rows", "maximum": 0, "decide_on": "value"}
    view = view_of(stage("leakage", measured("champion_seen_rows", 1, 0.9, 1)), **seen)
    (last,) = one(view, "extra").next_steps
    assert last.command is None
    earlier = replace(view, opening=view.opening.model_copy(update={"period": "1999"}))
    (step,) = one(earlier, "extra").next_steps
    words = shlex.split(step.command or "")
    assert words[:4] == ["prefect", "deployment", "run", "release/release"]
    assert json.loads(words[-1]) == {"model": "triage", "candidate_of": "triage-2000-1", "period": "2000"}


def test_a_waiver_is_offered_with_its_exact_command_and_without_the_author():
    """Only for what stands in the way: the policy must know waivers, and a warning that stops nothing needs none."""
    broken = stage("fairness", measured("equal_opportunity_difference", 0.5, 0.4, 0.6, slice_name="age & sex"))
    terms = WaiverTerms(roles=("compliance-officer",), maximum_days=7)
    found = one(view_of(broken, waivers=terms), "equal-opportunity")
    assert found.may_waive == ("sam.okafor",)
    command = found.next_steps[-1].command or ""
    assert shlex.split(command)[:9] == [
        "gatewright", "waive", "triage", "--rule", "equal-opportunity", "--slice", "age & sex", "--days", "7",
    ]  # fmt: skip
    assert "waive" not in words(view_of(broken), "equal-opportunity")
    assert "waive" not in words(view_of(waivers=terms), "feature-drift")


def test_what_needs_a_champion_is_excused_where_none_serves():
    """And nothing is to be done about it."""
    found = one(view_of(stage("evaluate", measured("auc", 0.86, 0.84, 0.88)), champion=False), "better-than-champion")
    assert found.weight == "excused"
    assert found.next_steps[0].words.startswith("Nothing:")


def test_the_first_model_has_none_to_go_back_to():
    """A rollback would be refused, so none is offered."""
    first = view_of(champion=False)
    assert release_step(replace(first, state=ReleaseState.DEPLOYED)).command is None


@pytest.mark.parametrize(
    ("state", "command"),
    [
        (ReleaseState.OPEN, "gatewright watch triage-2000-1"),
        (ReleaseState.WAITING, "gatewright approve triage-2000-1"),
        (ReleaseState.DEPLOYED, "gatewright rollback triage --to triage-1999-1 --reason"),
        (ReleaseState.BLOCKED, "gatewright explain triage-2000-1"),
        (ReleaseState.FAILED, "prefect deployment run retrain/retrain"),
        (ReleaseState.REJECTED, "prefect deployment run retrain/retrain"),
        (ReleaseState.EXPIRED, "prefect deployment run retrain/retrain"),
    ],
)
def test_every_state_has_a_next_step(state: ReleaseState, command: str):
    """Nobody is left without a command."""
    step = release_step(replace(example_view(), state=state))
    assert (step.command or "").startswith(command)


def test_nothing_is_to_be_done_about_what_passed():
    """No advice without a reason."""
    view = example_view()
    assert all(not next_steps(view, result) for result in view.decision.results if result.status is Status.PASSED)
