"""Which way is better, for each metric a model is compared on."""

from typing import Literal

__all__ = ["Direction", "direction_of"]

Direction = Literal["higher", "lower"]

HIGHER = frozenset(
    {
        "accuracy", "auc", "average_precision", "balanced_accuracy", "brier_resolution", "demographic_parity_ratio",
        "equal_opportunity_ratio", "equalized_odds_ratio", "f1", "false_negative_rate_ratio",
        "false_positive_rate_ratio", "lift", "matthews_correlation", "mcc", "precision", "r2", "recall", "specificity",
        "true_positive_rate",
    }
)  # fmt: skip
LOWER = frozenset(
    {
        "accuracy_difference", "area_under_risk_coverage", "brier", "brier_reliability",
        "calibration_in_the_large_within_groups", "calibration_within_groups", "conformal_coverage_difference",
        "conformal_set_size", "conformal_width", "demographic_parity_difference", "equal_opportunity_difference",
        "equalized_odds_difference", "error_rate", "expected_calibration_error",
        "expected_calibration_error_equal_mass", "false_negative_rate", "false_positive_rate",
        "false_positive_rate_difference", "log_loss", "mae", "mae_difference", "mape", "mean_error_difference",
        "mean_prediction_difference", "predictive_parity_difference", "quantile_loss", "recall_difference", "rmse",
        "rmse_difference", "selection_rate_difference",
    }
)  # fmt: skip
# Signed, with a target value, or a share: only a limit or an equivalence can be asked of their change.
NEITHER = frozenset(
    {
        "bias", "brier_uncertainty", "calibration_intercept", "calibration_slope", "conformal_coverage",
        "selection_rate",
    }
)  # fmt: skip
# Means over classes go the way of what they average.
_VARIANTS = ("macro_", "micro_", "weighted_")
# Followed by the share of rows that are answered.
_SELECTIVE = "selective_accuracy_at_"


def direction_of(metric: str) -> Direction | None:
    """The better direction of ``metric`` or of its ``_change``.

    None where neither is better (``NEITHER``), and for metrics this table does not know.
    """
    name = metric.removesuffix("_change")
    for prefix in _VARIANTS:
        name = name.removeprefix(prefix)
    if name in HIGHER or name.startswith(_SELECTIVE):
        return "higher"
    return "lower" if name in LOWER else None
