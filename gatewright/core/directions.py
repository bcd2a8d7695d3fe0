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
        "accuracy_difference", "brier", "brier_reliability", "calibration_in_the_large_within_groups",
        "calibration_within_groups", "demographic_parity_difference", "equal_opportunity_difference",
        "equalized_odds_difference", "error_rate", "expected_calibration_error",
        "expected_calibration_error_equal_mass", "false_negative_rate", "false_positive_rate",
        "false_positive_rate_difference", "log_loss", "mae", "mape", "predictive_parity_difference", "quantile_loss",
        "rmse",
    }
)  # fmt: skip
# Signed, with a target value, or a share: only a limit or an equivalence can be asked of their change.
NEITHER = frozenset({"bias", "brier_uncertainty", "calibration_intercept", "calibration_slope", "selection_rate"})
# Means over classes go the way of what they average.
_VARIANTS = ("macro_", "micro_", "weighted_")


def direction_of(metric: str) -> Direction | None:
    """The better direction of ``metric`` or of its ``_change``.

    None where neither is better (``NEITHER``), and for metrics this table does not know.
    """
    name = metric.removesuffix("_change")
    for prefix in _VARIANTS:
        name = name.removeprefix(prefix)
    if name in HIGHER:
        return "higher"
    return "lower" if name in LOWER else None
