"""Evaluation charts: curves from corner to corner, and nothing drawn where nothing is known."""

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from gatewright.core.checks.evaluation import evaluation_curves

THRESHOLD = 0.3


def drawn():
    rng = np.random.default_rng(0)
    scores = rng.beta(1, 6, 1_500)
    labels = (rng.random(1_500) < scores).astype(int)
    return labels, scores, np.clip(scores + rng.normal(0, 0.1, 1_500), 0.001, 0.999)


def test_curves_are_json_from_corner_to_corner_and_agree_with_the_counts():
    """ROC rises from (0, 0) to (1, 1) in about 100 points with nearly the exact area; all rows are counted."""
    labels, scores, champion = drawn()
    curves = evaluation_curves(labels, scores, threshold=THRESHOLD, confidence=0.9, champion_scores=champion)
    json.dumps(curves, allow_nan=False)
    for model, values in (("candidate", scores), ("champion", champion)):
        roc = np.array(curves[model]["roc"], dtype=float)
        assert roc[0, :2].tolist() == [0, 0]
        assert roc[-1, :2].tolist() == [1, 1]
        assert len(roc) <= 101
        assert (np.diff(roc[:, :2], axis=0) >= 0).all()
        assert np.trapezoid(roc[:, 1], roc[:, 0]) == pytest.approx(sk.roc_auc_score(labels, values), abs=0.01)
        confusion = curves[model]["confusion"]
        true_negatives, *_ = sk.confusion_matrix(labels, values >= THRESHOLD).ravel()
        assert confusion["true_negatives"] == true_negatives
        assert sum(confusion.values()) == labels.size
        assert sum(point["n"] for point in curves[model]["calibration"]) == labels.size
        histogram = curves[model]["histogram"]
        assert sum(histogram["negatives"]) + sum(histogram["positives"]) == labels.size
        assert histogram["positives"][6] == ((labels == 1) & (values >= 0.05) & (values < 0.1)).sum()


def test_curves_of_a_single_class_or_of_no_rows_are_empty_not_wrong():
    """No ROC without both classes, no calibration without rows, and no champion without scores."""
    single = evaluation_curves([0] * 5, [0.1] * 5, threshold=0.5, confidence=0.9)
    assert single["candidate"]["roc"] == []
    assert single["candidate"]["auc"] is None
    assert single["champion"] is None
    empty = evaluation_curves([], [], threshold=0.5, confidence=0.9)
    assert empty["candidate"]["calibration"] == []
