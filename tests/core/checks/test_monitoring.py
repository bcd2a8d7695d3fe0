"""Production traffic is measured like an evaluation, and answered in stages."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from gatewright.core.checks.evaluation import METRICS
from gatewright.core.checks.monitoring import measure_production
from gatewright.core.checks.profile import Profile
from gatewright.core.checks.profile_build import build_profile
from gatewright.core.errors import DataError, ModelError
from gatewright.core.policy import Monitoring
from gatewright.core.responses import MonitoringDecision, respond
from gatewright.core.results import Interval, Measurement, Status

ROWS = 1200
WEIGHT = {"record": 0, "alert": 1, "retrain": 2, "rollback": 3}


def traffic(seed: int, *, rows: int = ROWS, shift: float = 0.0) -> tuple[pd.DataFrame, Any, Any]:
    """Features, calibrated scores, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    age = rng.normal(40 + shift, 10, rows)
    frame = pd.DataFrame({"age": age, "sex": pd.Series(rng.choice(["f", "m"], rows), dtype="str")})
    scores = 1 / (1 + np.exp(-(age - 40) / 5))
    return frame, scores, (rng.random(rows) < scores).astype(float)


@pytest.fixture(scope="module")
def profile() -> Profile:
    frame, scores, _ = traffic(0)
    return build_profile(frame, ["age", "sex"], ["sex"], scores)


def measure(
    profile: Profile, frame: pd.DataFrame, scores: Any, labels: Any, **changes: Any
) -> dict[tuple[str, str], Measurement]:
    options = {"threshold": 0.5, "confidence": 0.9, "minimum_rows": 500, "minimum_labels": 300, **changes}
    found = measure_production(frame, scores, labels, profile=profile, **options)
    assert len({(m.metric, m.slice) for m in found}) == len(found)
    return {(m.metric, m.slice): m for m in found}


def policy(*rules: dict[str, Any], rows: int = 500, labels: int = 300) -> Monitoring:
    named = [{"id": f"rule-{n}", "reason": "a test", **rule} for n, rule in enumerate(rules)]
    return Monitoring.model_validate({"minimum_rows": rows, "minimum_labels": labels, "rules": named})


def measurement(
    value: float | None, span: tuple[float, float] | None = None, *, metric: str = "auc", slice: str = "all"
) -> Measurement:
    interval = Interval(low=span[0], high=span[1], confidence=0.9, method="test") if span else None
    return Measurement(metric=metric, slice=slice, value=value, interval=interval, n=400)


def counts(rows: int = 1000, labelled: int = 1000) -> list[Measurement]:
    return [
        Measurement(metric="rows", value=rows, n=rows),
        Measurement(metric="labelled_rows", value=labelled, n=labelled),
    ]


def answer(rule: dict[str, Any], *measured: Measurement, **few: int) -> MonitoringDecision:
    return respond(policy(rule), [*counts(**few), *measured])


ROLLBACK = {"metric": "auc", "minimum": 0.7, "response": "rollback"}


# --- what is measured


def test_only_labelled_rows_are_evaluated(profile: Profile) -> None:
    """The AUC is that of the rows whose label is known, and of no other."""
    frame, scores, labels = traffic(1)
    known = np.arange(ROWS) % 2 == 0
    found = measure(profile, frame, scores, np.where(known, labels, np.nan))
    assert found["auc", "all"].value == pytest.approx(roc_auc_score(labels[known], scores[known]))
    assert found["labelled_rows", "all"].value == ROWS / 2
    assert found["labelled_share", "all"].value == 0.5
    assert found["rows", "all"].value == ROWS


def test_drift_and_data_quality_are_measured_without_any_label(profile: Profile) -> None:
    """Labels come late; the inputs and scores can be watched at once."""
    frame, scores, _ = traffic(1, shift=10)
    frame.loc[frame.index % 4 == 0, "age"] = np.nan
    frame.loc[frame.index % 3 == 0, "sex"] = "unheard of"
    found = measure(profile, frame, scores, None)
    assert (found["psi", "age"].value or 0) > 0.25
    assert (found["psi", "score"].value or 0) > 0.25
    assert found["null_rate_change", "age"].value == pytest.approx(0.25)
    assert found["new_categories", "sex"].value == pytest.approx(1 / 3)
    assert found["auc", "all"].value is None
    assert found["labelled_share", "all"].value == 0


def test_below_the_minimum_metrics_keep_their_names_and_have_no_value(profile: Profile) -> None:
    """A report shows what will be measured once there is enough; nobody can judge noise."""
    frame, scores, labels = traffic(1, rows=100)
    found = measure(profile, frame, scores, labels)
    for key in (("psi", "age"), ("psi", "score"), ("auc", "all"), ("brier", "all")):
        assert found[key].value is None
        assert "too few" in found[key].note
    assert found["rows", "all"].value == 100


def test_a_log_without_a_row_is_measured_as_such(profile: Profile) -> None:
    """No traffic has names and counts, and no values."""
    found = measure(profile, pd.DataFrame(), [], [])
    assert found["rows", "all"].value == 0
    assert found["labelled_share", "all"].value is None
    assert {metric for metric, _ in found} >= set(METRICS)


def test_a_single_class_has_no_auc(profile: Profile) -> None:
    """It is left without a value, with the reason."""
    frame, scores, _ = traffic(1)
    found = measure(profile, frame, scores, np.zeros(ROWS))
    assert found["auc", "all"].value is None
    assert "both classes" in found["auc", "all"].note


@pytest.mark.parametrize(
    ("scores", "labels", "error"),
    [
        (np.full(ROWS, np.nan), None, ModelError),
        (np.full(ROWS, 1.5), None, ModelError),
        (np.full(ROWS - 1, 0.5), None, ModelError),
        (np.full(ROWS, 0.5), np.full(ROWS, 2.0), DataError),
        (np.full(ROWS, 0.5), np.zeros(ROWS - 1), DataError),
    ],
)
def test_wrong_scores_and_labels_are_refused(
    scores: Any, labels: Any, error: type[Exception], profile: Profile
) -> None:
    """A broken log is an error, not a measurement."""
    with pytest.raises(error):
        measure(profile, traffic(1)[0], scores, labels)


def test_a_missing_feature_is_refused(profile: Profile) -> None:
    """Predictions of a model with other features cannot be compared with this profile."""
    frame, scores, labels = traffic(1)
    with pytest.raises(DataError, match="sex"):
        measure(profile, frame.drop(columns="sex"), scores, labels)


# --- what it asks for


def test_a_confirmed_break_gets_the_full_response() -> None:
    """Value and all of the interval are beyond the limit."""
    decision = answer(ROLLBACK, measurement(0.6, (0.55, 0.65)))
    assert decision.response == "rollback"
    assert decision.findings[0].result.status is Status.FAILED
    assert decision.reasons[0].startswith("rollback: rule-0: auc failed")


def test_a_break_that_may_be_chance_asks_for_an_alert_at_most() -> None:
    """The interval still touches the limit."""
    decision = answer(ROLLBACK, measurement(0.68, (0.62, 0.70)))
    assert decision.response == "alert"
    assert decision.findings[0].result.status is Status.INCONCLUSIVE


def test_an_unconfirmed_break_of_a_record_rule_stays_a_record() -> None:
    """A response is never more than the rule asks for."""
    decision = answer({**ROLLBACK, "response": "record"}, measurement(0.68, (0.62, 0.74)))
    assert decision.response == "record"


def test_a_value_within_the_limit_is_recorded_whatever_its_interval() -> None:
    """It passes only with all of its interval, but it alarms nobody."""
    for span, status in (((0.71, 0.8), Status.PASSED), ((0.65, 0.8), Status.INCONCLUSIVE)):
        decision = answer(ROLLBACK, measurement(0.75, span))
        assert decision.response == "record"
        assert decision.findings[0].result.status is status


def test_a_rule_on_the_value_needs_no_interval() -> None:
    """An exact count, or a policy that says so."""
    rule = {**ROLLBACK, "decide_on": "value"}
    assert answer(rule, measurement(0.69, (0.62, 0.74))).response == "rollback"
    assert answer(rule, measurement(0.69)).response == "rollback"


def test_a_break_without_the_interval_it_is_decided_on_is_an_error() -> None:
    """Nothing confirms it: an alert."""
    decision = answer(ROLLBACK, measurement(0.6))
    assert decision.response == "alert"
    assert decision.findings[0].result.status is Status.ERROR


def test_a_metric_nobody_measured_is_an_error_and_an_alert() -> None:
    """A misspelt metric must not look like a healthy one."""
    decision = answer({"metric": "acu", "minimum": 0.7, "response": "rollback"}, measurement(0.9, (0.8, 1)))
    assert decision.response == "alert"
    assert decision.findings[0].result.status is Status.ERROR
    assert "not measured" in decision.reasons[0]


def test_a_metric_without_a_value_is_inconclusive_and_an_alert() -> None:
    """There were labels enough, and still it could not be told."""
    decision = answer(ROLLBACK, measurement(None))
    assert decision.response == "alert"
    assert decision.findings[0].result.status is Status.INCONCLUSIVE


@pytest.mark.parametrize(("few", "words"), [({"rows": 499}, "499 predictions"), ({"labelled": 299}, "299 labels")])
def test_too_few_rows_or_labels_are_recorded_with_the_reason(few: dict[str, int], words: str) -> None:
    """Nothing is decided on noise, not even a terrible value."""
    decision = answer(ROLLBACK, measurement(0.1, (0.05, 0.15)), **few)
    assert decision.response == "record"
    assert decision.findings[0].result.status is Status.INCONCLUSIVE
    assert words in decision.reasons[0]


def test_too_few_labels_do_not_stop_the_drift_alarm() -> None:
    """Drift needs rows, not labels."""
    rule = {"metric": "psi", "slices": "each", "maximum": 0.25, "response": "alert"}
    drift = measurement(0.5, (0.4, 0.6), metric="psi", slice="age")
    assert answer(rule, drift, labelled=0).response == "alert"


def test_counts_are_judged_however_small_they_are() -> None:
    """A rule on the traffic itself exists to notice that it stopped."""
    rule = {"metric": "rows", "minimum": 100, "decide_on": "value", "response": "alert"}
    assert answer(rule, rows=3).response == "alert"


def test_measurements_without_counts_are_too_few() -> None:
    """Nobody said how many rows there were: nothing is decided."""
    assert respond(policy(ROLLBACK), [measurement(0.1, (0.05, 0.15))]).response == "record"


def test_a_rule_on_each_slice_has_a_finding_for_each() -> None:
    """Each feature is judged; the whole is not one of them."""
    rule = {"metric": "psi", "slices": "each", "maximum": 0.25, "decide_on": "value", "response": "alert"}
    values = {"age": 0.1, "sex": 0.3, "all": 9.0}
    decision = answer(rule, *(measurement(v, metric="psi", slice=s) for s, v in values.items()))
    statuses = {f.result.slice: f.result.status for f in decision.findings}
    assert statuses == {"age": Status.PASSED, "sex": Status.FAILED}


def test_the_strongest_response_wins_and_comes_first() -> None:
    """Record < alert < retrain < rollback."""
    broken = measurement(0.1, (0.05, 0.15))
    rules = [{**ROLLBACK, "response": name} for name in ("alert", "rollback", "retrain", "record")]
    decision = respond(policy(*rules), [*counts(), broken])
    assert decision.response == "rollback"
    assert [reason.split(":")[0] for reason in decision.reasons] == list(reversed(WEIGHT))


@given(
    value=st.floats(0, 1),
    below=st.floats(0, 1),
    above=st.floats(0, 1),
    limit=st.floats(0, 1),
    response=st.sampled_from(list(WEIGHT)),
)
def test_no_rule_ever_asks_for_more_than_it_says(
    value: float, below: float, above: float, limit: float, response: str
) -> None:
    """And only a failed one asks for more than an alert; a passed one asks for nothing."""
    m = measurement(value, (value - below, value + above))
    decision = answer({"metric": "auc", "minimum": limit, "response": response}, m)
    asked = WEIGHT[decision.response]
    assert asked <= WEIGHT[response]
    assert asked <= 1 or decision.findings[0].result.status is Status.FAILED
    assert asked == 0 or value < limit


# --- from traffic to response

LIVE = (
    {"metric": "psi", "slices": "each", "maximum": 0.25, "response": "alert"},
    {"metric": "psi", "slices": "score", "maximum": 1.5, "response": "retrain"},
    {"metric": "auc", "minimum": 0.7, "response": "rollback"},
)


@pytest.mark.parametrize(
    ("shift", "flip", "response"),
    [(0.0, False, "record"), (8.0, False, "alert"), (25.0, False, "retrain"), (0.0, True, "rollback")],
)
def test_traffic_is_answered_in_stages(shift: float, flip: bool, response: str, profile: Profile) -> None:
    """Quiet traffic, a drift, a strong drift, and labels that contradict the scores."""
    frame, scores, labels = traffic(2, shift=shift)
    if flip:
        labels = 1 - labels
    labels = None if shift == 25.0 else labels
    found = measure(profile, frame, scores, labels)
    assert respond(policy(*LIVE), list(found.values())).response == response


def test_a_class_that_no_model_knows_is_measured_where_it_comes_true() -> None:
    """Of three labels two are predicted, and one is new; where none is known yet only drift has values."""
    frame, classes = pd.DataFrame({"x": np.tile([1.0, 2.0, 3.0], 50)}), ("a", "b", "new")
    said, usual = np.tile([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.6, 0.4, 0]], (50, 1)), np.tile(["a", "b", "a"], 50)
    profile = build_profile(frame, ["x"], [], usual, labels=usual)
    options: dict[str, Any] = {"threshold": None, "minimum_rows": 1, "minimum_labels": 1}
    given = {"task": "multiclass_classification", "classes": classes, **options}
    found = measure(profile, frame, said, np.tile(np.array(["a", "b", "new"], dtype=object), 50), **given)
    assert found["accuracy", "all"].value == pytest.approx(2 / 3)
    assert found["psi", "score"].value == pytest.approx(0)
    assert measure(profile, frame, said, None, **given)["accuracy", "all"].value is None


def test_numbers_are_watched_in_their_unit() -> None:
    """The mean absolute error of labelled rows, and the drift of predictions far outside [0, 1]."""
    frame, said = pd.DataFrame({"x": np.arange(200.0)}), np.linspace(100, 300, 200)
    profile = build_profile(frame, ["x"], [], said, labels=said)
    given: dict[str, Any] = {"task": "regression", "threshold": None, "minimum_rows": 1, "minimum_labels": 1}
    found = measure(profile, frame, said + 50, np.where(np.arange(200) < 100, said, np.nan), **given)
    assert found["mae", "all"].value == pytest.approx(50)
    assert found["mae", "all"].n == 100
    assert found["ks", "score"].value == pytest.approx(0.25, abs=0.01)
    with pytest.raises(ModelError, match="impossible"):
        measure(profile, frame, np.full(200, np.inf), None, **given)
