"""The metrics of a binary evaluation as functions of sums, and which of them ask for what."""

from collections.abc import Sequence

import numpy as np

from gatewright.core.statistics.average_precision import average_precision_from_bins
from gatewright.core.statistics.blocks import FloatArray, Statistic, Sums
from gatewright.core.statistics.brier import brier, reliability, resolution, uncertainty
from gatewright.core.statistics.calibration import calibration_error_from_sums
from gatewright.core.statistics.confusion import RATES, balanced_accuracy, f1, lift, matthews_correlation, quotient
from gatewright.core.statistics.ranking import auc_from_bins

__all__ = [
    "DECISION_METRICS",
    "GAPS",
    "METRICS",
    "NEEDS_BOTH_CLASSES",
    "PAIRED_RATES",
    "SCORE_METRICS",
    "SMOOTH_BIAS",
    "STATISTICS",
    "changed_metrics",
    "metrics_of",
]

SCORE_METRICS = (
    "auc", "average_precision", "log_loss", "brier", "brier_reliability", "brier_resolution", "brier_uncertainty",
    "expected_calibration_error", "expected_calibration_error_equal_mass", "calibration_slope",
    "calibration_intercept",
)  # fmt: skip
DECISION_METRICS = (
    "precision", "recall", "specificity", "accuracy", "balanced_accuracy", "f1", "matthews_correlation",
    "selection_rate", "false_positive_rate", "lift",
)  # fmt: skip
METRICS = (*SCORE_METRICS, *DECISION_METRICS)
NEEDS_BOTH_CLASSES = frozenset(
    {"auc", "average_precision", "calibration_slope", "calibration_intercept", "precision", "recall", "specificity",
     "balanced_accuracy", "f1", "matthews_correlation", "false_positive_rate", "lift"}
)  # fmt: skip
# Rates over the same rows for every model: their changes have discordant counts.
PAIRED_RATES = ("accuracy", "recall", "specificity", "selection_rate", "false_positive_rate")
# Sums of squares by bin, whose resamples err upwards as much as their values do.
SMOOTH_BIAS = ("brier_reliability", "brier_resolution")


def metrics_of(columns: Sequence[str], model: str) -> tuple[str, ...]:
    """The metrics of a model with these columns (`EvaluationSums.columns`); none without the model."""
    if f"{model}_selected" not in columns:
        return ()
    return METRICS if f"{model}_scores" in columns else DECISION_METRICS


def changed_metrics(columns: Sequence[str]) -> tuple[str, ...]:
    """The metrics of both models; none changes the uncertainty of the labels."""
    ours, theirs = metrics_of(columns, "candidate"), metrics_of(columns, "champion")
    return tuple(metric for metric in ours if metric in theirs and metric != "brier_uncertainty")


def _width_gaps(sums: Sums) -> FloatArray:
    return sums["bin_scores"] - sums["bin_positives"]


def _mass_gaps(sums: Sums) -> FloatArray:
    return sums["mass_gaps"]


# Summed gaps of score and label by bin, of which the calibration errors are the absolute means.
GAPS: dict[str, Statistic] = {
    "expected_calibration_error": _width_gaps,
    "expected_calibration_error_equal_mass": _mass_gaps,
}


def _log_loss(sums: Sums) -> FloatArray:
    return quotient(sums["log_loss"], sums["rows"])


def _calibration_error(sums: Sums) -> FloatArray:
    return calibration_error_from_sums(sums["bin_scores"], sums["bin_positives"], sums["rows"])


def _auc(sums: Sums) -> FloatArray:
    positives, rows = _ranks(sums)
    return auc_from_bins(positives, rows - positives)


def _average_precision(sums: Sums) -> FloatArray:
    return average_precision_from_bins(*_ranks(sums))


def _ranks(sums: Sums) -> tuple[FloatArray, FloatArray]:
    return sums["rank_positives"].astype(np.float64), sums["rank_rows"].astype(np.float64)


STATISTICS: dict[str, Statistic] = {
    "auc": _auc,
    "average_precision": _average_precision,
    "log_loss": _log_loss,
    "brier": brier,
    "brier_reliability": reliability,
    "brier_resolution": resolution,
    "brier_uncertainty": uncertainty,
    "expected_calibration_error": _calibration_error,
    "balanced_accuracy": balanced_accuracy,
    "f1": f1,
    "matthews_correlation": matthews_correlation,
    "lift": lift,
    **RATES,
}
