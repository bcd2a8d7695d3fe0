"""What a fairness audit measures: rates of groups, and gaps of rates, as fairlearn defines them."""

from dataclasses import dataclass

import numpy as np

from gatewright.core.statistics.blocks import FloatArray, IntArray
from gatewright.core.statistics.confusion import quotient
from gatewright.core.statistics.gaps import GapKind

__all__ = ["FAIRNESS_METRICS", "GROUP_RATES", "SUPPORTED_RATES", "CellRate", "FairnessMetric"]


# Confusion cells as (label, decision).
Cells = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class CellRate:
    """A share of rows: those in the cells ``successes`` among those in the cells ``of``.

    ``counted`` names the rows of the denominator for people. Arrays of cells have the shape (..., 2, 2).
    """

    successes: Cells
    of: Cells
    counted: str

    def numerator(self, cells: FloatArray | IntArray) -> FloatArray:
        """How many rows succeed."""
        return _sum(cells, self.successes)

    def denominator(self, cells: FloatArray | IntArray) -> FloatArray:
        """How many rows there are to succeed."""
        return _sum(cells, self.of)

    def __call__(self, cells: FloatArray | IntArray) -> FloatArray:
        """The rate; NaN where no row counts."""
        return quotient(self.numerator(cells), self.denominator(cells))


def _sum(cells: FloatArray | IntArray, chosen: Cells) -> FloatArray:
    return np.asarray(sum(cells[..., label, decision] for label, decision in chosen), dtype=np.float64)


POSITIVES, NEGATIVES, SELECTED = ((1, 0), (1, 1)), ((0, 0), (0, 1)), ((0, 1), (1, 1))
ROWS = (*POSITIVES, *NEGATIVES)
GROUP_RATES: dict[str, CellRate] = {
    "selection_rate": CellRate(SELECTED, ROWS, "rows"),
    "true_positive_rate": CellRate(((1, 1),), POSITIVES, "positives"),
    "false_positive_rate": CellRate(((0, 1),), NEGATIVES, "negatives"),
    "false_negative_rate": CellRate(((1, 0),), POSITIVES, "positives"),
    "precision": CellRate(((1, 1),), SELECTED, "selected rows"),
    "accuracy": CellRate(((0, 0), (1, 1)), ROWS, "rows"),
}
# A group without support for one of these counts as unsupported: one rate for each denominator.
SUPPORTED_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


@dataclass(frozen=True)
class FairnessMetric:
    """The worst of the gaps of some rates: the largest difference, or the smallest ratio."""

    rates: tuple[str, ...]
    kind: GapKind


FAIRNESS_METRICS: dict[str, FairnessMetric] = {
    "demographic_parity_difference": FairnessMetric(("selection_rate",), "difference"),
    "demographic_parity_ratio": FairnessMetric(("selection_rate",), "ratio"),
    "equalized_odds_difference": FairnessMetric(("true_positive_rate", "false_positive_rate"), "difference"),
    "equalized_odds_ratio": FairnessMetric(("true_positive_rate", "false_positive_rate"), "ratio"),
    "equal_opportunity_difference": FairnessMetric(("true_positive_rate",), "difference"),
    "equal_opportunity_ratio": FairnessMetric(("true_positive_rate",), "ratio"),
    "predictive_parity_difference": FairnessMetric(("precision",), "difference"),
    "false_positive_rate_difference": FairnessMetric(("false_positive_rate",), "difference"),
    "false_positive_rate_ratio": FairnessMetric(("false_positive_rate",), "ratio"),
    "false_negative_rate_ratio": FairnessMetric(("false_negative_rate",), "ratio"),
    "accuracy_difference": FairnessMetric(("accuracy",), "difference"),
}
