"""Which way is better, for each metric a model is compared on."""

from typing import Literal

__all__ = ["Direction", "direction_of"]

Direction = Literal["higher", "lower"]

HIGHER = frozenset(
    {
        "accuracy", "auc", "average_precision", "balanced_accuracy", "f1", "lift", "mcc", "precision", "r2", "recall",
        "specificity", "top_k_accuracy", "true_positive_rate", "demographic_parity_ratio", "equalized_odds_ratio",
        "equal_opportunity_ratio", "accuracy_ratio", "coverage",
    }
)  # fmt: skip
LOWER = frozenset(
    {
        "brier", "error_rate", "expected_calibration_error", "expected_calibration_error_mass", "false_negative_rate",
        "false_positive_rate", "log_loss", "calibration_error", "reliability", "rmse", "mae", "mape", "mse",
        "median_absolute_error", "quantile_loss", "pinball_loss", "demographic_parity_difference",
        "equalized_odds_difference", "equal_opportunity_difference", "false_positive_rate_difference",
        "predictive_parity_difference", "worst_slice_gap",
    }
)  # fmt: skip
# Means over classes and equal-mass variants go the way of what they average.
_VARIANTS = ("macro_", "micro_", "weighted_")


def direction_of(metric: str) -> Direction | None:
    """The better direction of ``metric`` or of its ``_change``.

    None where neither is better: signed ones (bias, calibration slope and intercept), shares (selection
    rate), and metrics this table does not know.
    """
    name = metric.removesuffix("_change")
    for prefix in _VARIANTS:
        name = name.removeprefix(prefix)
    if name in HIGHER:
        return "higher"
    return "lower" if name in LOWER else None
