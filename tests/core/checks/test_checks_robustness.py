"""Robustness: how the loss under a perturbation is measured, and how it grows with the perturbation."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, recall_score, roc_auc_score

from gatewright.core.checks.probes import Probe, Scorer
from gatewright.core.checks.robustness import FRACTIONS, measure_perturbations, measure_robustness
from gatewright.core.errors import ModelError
from gatewright.core.spec import Perturbation


def measured(labels, scores, changed, **options):
    found = measure_robustness(labels, scores, changed, threshold=0.5, confidence=0.9, **options)
    return {(m.metric, m.slice): m for m in found}


def drawn(n=2_000):
    rng = np.random.default_rng(2)
    labels = (rng.random(n) < 0.4).astype(int)
    return labels, np.clip(rng.normal(0.4 + 0.2 * labels, 0.2), 0, 1), rng


def test_auc_drop_is_original_minus_perturbed_and_flips_are_counted():
    """Both equal their definitions and lie within their intervals."""
    labels, scores, rng = drawn()
    worse = np.clip(scores + rng.normal(0, 0.2, scores.size), 0, 1)
    found = measured(labels, scores, {"noise": worse})
    drop, flips = found["auc_drop", "noise"], found["decision_flip_rate", "noise"]
    assert drop.value == pytest.approx(roc_auc_score(labels, scores) - roc_auc_score(labels, worse), abs=1e-12)
    assert 0 < drop.interval.low < drop.value < drop.interval.high
    assert flips.value == pytest.approx(((scores >= 0.5) != (worse >= 0.5)).mean())
    assert flips.interval.low < flips.value < flips.interval.high


def test_log_loss_rise_and_recall_drop_equal_scikit_learns_differences():
    """And lie within their intervals."""
    labels, scores, rng = drawn()
    worse = np.clip(scores + rng.normal(0, 0.2, scores.size), 0, 1)
    found = measured(labels, scores, {"noise": worse})
    rise, drop = found["log_loss_rise", "noise"], found["recall_drop", "noise"]
    assert rise.value == pytest.approx(log_loss(labels, worse) - log_loss(labels, scores), abs=1e-9)
    assert 0 < rise.interval.low < rise.value < rise.interval.high
    before, after = (recall_score(labels, s >= 0.5) for s in (scores, worse))
    assert drop.value == pytest.approx(before - after, abs=1e-12)
    assert drop.interval.low < drop.value < drop.interval.high
    assert drop.n == labels.sum()


def test_unchanged_scores_have_no_drop_and_flips_only_within_doubt():
    """Zero of 2000 flips has Wilson's upper bound."""
    labels, scores, _ = drawn()
    found = measured(labels, scores, {"none": scores})
    assert found["auc_drop", "none"].value == 0
    flips = found["decision_flip_rate", "none"]
    assert flips.value == 0
    assert 0 < flips.interval.high < 0.005


def test_clusters_widen_the_intervals():
    """Rows repeated in a cluster are no new evidence."""
    labels, scores, rng = drawn(500)
    worse = np.clip(scores + rng.normal(0, 0.2, scores.size), 0, 1)
    rows, ids = (np.tile(labels, 4), np.tile(scores, 4), {"n": np.tile(worse, 4)}), np.tile(np.arange(500), 4)
    honest, naive = measured(*rows, clusters=ids), measured(*rows)
    for key in honest:
        wide, narrow = honest[key].interval, naive[key].interval
        assert wide.high - wide.low > 1.7 * (narrow.high - narrow.low)


def test_single_class_and_no_rows_have_no_drop():
    """Neither can pass."""
    assert measured([1] * 20, [0.5] * 20, {"p": [0.4] * 20})["auc_drop", "p"].value is None
    assert measured([], [], {"p": []})["decision_flip_rate", "p"].value is None


def test_bad_scores_name_the_perturbation():
    """A model that answers NaN to missing values is refused."""
    with pytest.raises(ModelError, match="perturbation missing"):
        measured([0, 1], [0.1, 0.9], {"missing": [np.nan, 0.9]})


def test_the_order_of_rows_does_not_matter():
    """Without clusters blocks follow the rows' content."""
    labels, scores, rng = drawn()
    worse = np.clip(scores + rng.normal(0, 0.2, scores.size), 0, 1)
    shuffle = rng.permutation(scores.size)
    straight = measured(labels, scores, {"p": worse})
    shuffled = measured(labels[shuffle], scores[shuffle], {"p": worse[shuffle]})
    for key, m in straight.items():
        assert m.value == pytest.approx(shuffled[key].value, abs=1e-12)
        assert m.interval.low == pytest.approx(shuffled[key].interval.low, abs=1e-12)


LOGISTIC = {"age": 0.05, "speed": 0.03}


def asked(frame):
    """A model of two numbers."""
    return 1 / (1 + np.exp(4 - sum(weight * frame[name] for name, weight in LOGISTIC.items())))


def probe_of(rows=3_000):
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"age": rng.normal(40, 15, rows), "speed": rng.normal(60, 20, rows)})
    labels = (rng.random(rows) < asked(frame)).astype(int)
    probe = Probe(frame, asked(frame).to_numpy(), Scorer(asked), tuple(LOGISTIC), (), 0.5, 0.9)
    return probe, labels


NOISE = Perturbation(name="noise", kind="noise", columns=("age", "speed"), amount=1)


def test_a_model_loses_more_under_more_noise():
    """The curve has a point at each fraction of the amount, the last is what rules see."""
    probe, labels = probe_of()
    found, (curve,) = measure_perturbations(probe, labels, [NOISE])
    drop = next(m for m in found if m.metric == "auc_drop")
    drops = [point["auc_drop"] for point in curve["points"]]
    assert curve["perturbation"] == "noise"
    assert [point["fraction"] for point in curve["points"]] == list(FRACTIONS)
    assert drops == sorted(drops)
    assert drops[-1] == drop.value
    assert curve["points"][-1]["auc_drop_low"] == drop.interval.low
    assert (probe.score.calls, probe.score.rows) == (3, 9_000)


def test_many_rows_are_measured_on_a_part_of_them(monkeypatch):
    """Which part depends on the rows' content; `n` says how many."""
    monkeypatch.setattr("gatewright.core.checks.robustness.PERTURBED_ROWS", 500)
    probe, labels = probe_of()
    found, _ = measure_perturbations(probe, labels, [NOISE])
    assert {m.n for m in found if m.metric == "decision_flip_rate"} == {500}
    assert probe.score.rows == 1_500


def test_a_curve_leaves_out_what_has_no_value():
    """One class: flips and log loss only."""
    probe, labels = probe_of()
    _, (curve,) = measure_perturbations(probe, np.zeros(labels.size), [NOISE])
    assert all("auc_drop" not in point and "decision_flip_rate" in point for point in curve["points"])
