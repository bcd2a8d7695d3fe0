"""Errors of predicted numbers as exact sums per block, which merge to the same bits from any partition of the rows.

The targets' squares are summed without rounding and centred exactly on their mean afterwards, so that R2
loses no digit to cancellation, however far the targets lie from zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import numpy as np

from gatewright.core.statistics.blocks import BLOCKS, BlockTable, FloatArray, IntArray, Statistic, Sums
from gatewright.core.statistics.confusion import quotient
from gatewright.core.statistics.exact_sums import ExactSums, exact_squares, exact_sums

__all__ = ["REGRESSION_STATISTICS", "RegressionSums", "regression_sums"]

# Added to the exact sums of errors: the targets, and their squares.
TARGET, TARGET_SQUARES = "target", "target_squares"


@dataclass(frozen=True)
class RegressionSums:
    """Sums per block of one model's errors. ``rows`` and ``zero_targets``: counts of shape (BLOCKS,).

    Addition is exactly associative and commutative. Raises ValueError when the other's quantile differs.
    """

    quantile: float
    rows: IntArray
    zero_targets: IntArray
    sums: Mapping[str, ExactSums]

    def __add__(self, other: Self) -> Self:
        if self.quantile != other.quantile:
            raise ValueError(f"losses of the quantiles {self.quantile} and {other.quantile} cannot be added")
        return type(self)(
            self.quantile,
            self.rows + other.rows,
            self.zero_targets + other.zero_targets,
            {name: values + other.sums[name] for name, values in self.sums.items()},
        )

    def same_rows(self, other: Self) -> bool:
        """Whether both may be compared in pairs: equal targets in equal blocks."""
        alike = all(self.sums[name] == other.sums[name] for name in (TARGET, TARGET_SQUARES))
        return alike and np.array_equal(self.rows, other.rows)

    def table(self) -> BlockTable:
        """The sums as floats, the targets and their squares taken about the mean target."""
        target, squares = _centred(self.rows, self.sums[TARGET], self.sums[TARGET_SQUARES])
        errors = {name: values.floats() for name, values in self.sums.items()}
        return BlockTable(errors | {"rows": self.rows.astype(np.float64), TARGET: target, TARGET_SQUARES: squares})


def regression_sums(
    targets: FloatArray, predictions: FloatArray, *, blocks: IntArray, quantile: float = 0.5
) -> RegressionSums:
    """Sums of one batch: all arrays of shape (rows,), ``blocks`` from `assign_blocks`.

    ``quantile`` is that of the pinball loss. An error is prediction minus target. Raises ValueError for NaN
    and infinity, for numbers whose squares overflow, and for a quantile outside (0, 1).
    """
    if not 0 < quantile < 1:
        raise ValueError(f"a quantile of {quantile} is not within (0, 1)")
    error = predictions - targets
    size = np.abs(error)
    rows = {
        "error": error,
        "absolute_error": size,
        "squared_error": error**2,
        "percentage_error": size / np.maximum(np.abs(targets), np.finfo(np.float64).eps),
        "quantile_loss": np.where(error < 0, quantile * size, (1 - quantile) * size),
        TARGET: targets,
    }
    sums = {name: exact_sums(blocks, BLOCKS, values) for name, values in rows.items()}
    sums[TARGET_SQUARES] = exact_squares(blocks, BLOCKS, targets)
    zero = np.bincount(blocks[targets == 0], minlength=BLOCKS)
    return RegressionSums(quantile, np.bincount(blocks, minlength=BLOCKS), zero, sums)


def _centred(rows: IntArray, target: ExactSums, squares: ExactSums) -> tuple[FloatArray, FloatArray]:
    """Per block the sums of t - c and of (t - c)**2, with c the mean of all targets as a float."""
    count = int(rows.sum())
    centre = Fraction(float(target.total() / count)) if count else Fraction(0)
    parts = zip(rows.tolist(), target.fractions(), squares.fractions(), strict=True)
    moments = [(float(s - n * centre), float(q - 2 * centre * s + n * centre**2)) for n, s, q in parts]
    first, second = np.array(moments, dtype=np.float64).T
    return first, second


def _mean(name: str) -> Statistic:
    return lambda sums: quotient(sums[name], sums["rows"])


def _rmse(sums: Sums) -> FloatArray:
    return np.sqrt(quotient(sums["squared_error"], sums["rows"]))


def _r2(sums: Sums) -> FloatArray:
    about_mean = sums[TARGET_SQUARES] - quotient(sums[TARGET] ** 2, sums["rows"])
    return 1 - quotient(sums["squared_error"], about_mean)


REGRESSION_STATISTICS: dict[str, Statistic] = {
    "rmse": _rmse,
    "mae": _mean("absolute_error"),
    "r2": _r2,
    "mape": _mean("percentage_error"),
    "quantile_loss": _mean("quantile_loss"),
    "bias": _mean("error"),
}
