"""How far predicted numbers are off, and how much further or less far than the champion's on the same rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.inputs import accept_clusters, measured, unmeasured
from gatewright.core.errors import DataError, ModelError
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import (
    EXACT_ROWS,
    Bootstrap,
    FloatArray,
    IntArray,
    assign_blocks,
    bootstrap,
    canonical_order,
    paired_interval,
)
from gatewright.core.statistics.regression import REGRESSION_STATISTICS, RegressionSums, regression_sums
from gatewright.core.statistics.resampled_change import resampled_p_value

__all__ = [
    "REGRESSION_METRICS",
    "accept_numeric_predictions",
    "accept_targets",
    "measure_regression",
    "measure_regression_sums",
    "row_blocks",
]

REGRESSION_METRICS = tuple(REGRESSION_STATISTICS)
# Squares of larger numbers, summed over many rows, overflow.
LARGEST = 1e130


def measure_regression(
    targets: Any,
    predictions: Any,
    *,
    confidence: float,
    champion_predictions: Any = None,
    clusters: Any = None,
    quantile: float = 0.5,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """All ``REGRESSION_METRICS`` of the candidate, and with a champion ``<metric>_change``: candidate minus champion.

    ``targets``, predictions and ``clusters`` (any ids): shape (rows,). Metrics are in the target's unit, but
    ``mape`` (a share) and ``r2``; ``bias`` is the mean of prediction minus target; ``quantile_loss`` is the
    pinball loss at ``quantile``. Changes carry a two-sided p-value. Raises DataError for targets or clusters,
    ModelError for predictions that are NaN, infinite, beyond 1e130 or of another length; ValueError for a
    quantile outside (0, 1).
    """
    truth = accept_targets(targets)
    ours = accept_numeric_predictions(predictions, truth.size, where="candidate predictions")
    theirs = None
    if champion_predictions is not None:
        theirs = accept_numeric_predictions(champion_predictions, truth.size, where="champion predictions")
    blocks = row_blocks(clusters, truth, ours, *([] if theirs is None else [theirs]))
    candidate = regression_sums(truth, ours, blocks=blocks, quantile=quantile)
    champion = None if theirs is None else regression_sums(truth, theirs, blocks=blocks, quantile=quantile)
    return measure_regression_sums(candidate, champion, confidence=confidence, seed=seed)


def measure_regression_sums(
    candidate: RegressionSums, champion: RegressionSums | None = None, *, confidence: float, seed: int = 0
) -> tuple[Measurement, ...]:
    """As `measure_regression`, from the sums of all batches.

    Raises ValueError when the champion's sums are of other rows.
    """
    ours = bootstrap(candidate.table(), seed=seed)
    measurements = [_measure(metric, candidate, ours, confidence) for metric in REGRESSION_METRICS]
    if champion is not None:
        if not candidate.same_rows(champion):
            raise ValueError("the sums of candidate and champion are of different rows")
        theirs = bootstrap(champion.table(), seed=seed)
        measurements += [_change(metric, candidate, ours, theirs, confidence) for metric in REGRESSION_METRICS]
    return tuple(measurements)


def _unmeasurable(metric: str, sums: RegressionSums, model: Bootstrap) -> str:
    if not sums.rows.sum():
        return "no rows"
    if metric == "mape" and sums.zero_targets.sum():
        return f"{sums.zero_targets.sum()} targets are 0: an error in percent of them is undefined"
    if metric == "r2" and not np.isfinite(model.value(REGRESSION_STATISTICS["r2"])):
        return "all targets are equal: there is no variance to explain"
    return ""


def _measure(metric: str, sums: RegressionSums, model: Bootstrap, confidence: float) -> Measurement:
    n, note = int(sums.rows.sum()), _unmeasurable(metric, sums, model)
    if note:
        return unmeasured(metric, n, note)
    statistic = REGRESSION_STATISTICS[metric]
    return measured(metric, model.value(statistic), model.interval(statistic, confidence), n)


def _change(metric: str, sums: RegressionSums, ours: Bootstrap, theirs: Bootstrap, confidence: float) -> Measurement:
    name, n, note = f"{metric}_change", int(sums.rows.sum()), _unmeasurable(metric, sums, ours)
    if note:
        return unmeasured(name, n, note)
    statistic = REGRESSION_STATISTICS[metric]
    value = ours.value(statistic) - theirs.value(statistic)
    interval = paired_interval(ours, theirs, statistic, confidence)
    p_value = resampled_p_value(value, statistic(ours.replicates) - statistic(theirs.replicates), blocks=ours.blocks)
    return measured(name, value, interval, n).model_copy(update={"p_value": p_value})


def row_blocks(clusters: Any, *columns: NDArray[Any]) -> IntArray:
    """The block of each row, shape (rows,): by cluster, else by position, for few rows in canonical order.

    ``columns``: all that is known of the rows, each of shape (rows,). Raises DataError for clusters of
    another length.
    """
    rows = columns[0].size
    ids = accept_clusters(clusters, rows)
    if ids is not None or rows >= EXACT_ROWS:
        return assign_blocks(rows, ids)
    blocks = np.empty(rows, dtype=np.int64)
    blocks[canonical_order(*columns)] = assign_blocks(rows)
    return blocks


def accept_targets(targets: Any) -> FloatArray:
    """Targets as floats, shape (rows,). Raises DataError for NaN, infinity and numbers beyond 1e130."""
    array = _numbers(targets)
    if array is None:
        raise DataError("targets are not numbers.", where="targets", remedy="correct `target.column`, or `task`.")
    if array.ndim != 1:
        raise DataError(f"targets have {array.ndim} dimensions.", where="targets", remedy="give one target per row.")
    wrong = _unusable(array)
    if wrong:
        raise DataError(
            f"{wrong} of {array.size} targets are NaN, infinite or beyond {LARGEST:g}.",
            where="targets",
            remedy="deliver the target of every row or leave these rows out at the source.",
        )
    return array


def accept_numeric_predictions(predictions: Any, rows: int, *, where: str) -> FloatArray:
    """Predictions as floats, shape (rows,). Raises ModelError for another number of them and for NaN or infinity."""
    array = _numbers(predictions)
    if array is None or array.shape != (rows,):
        shape = "that are no numbers" if array is None else f"of shape {array.shape}"
        raise ModelError(
            f"predictions {shape} for {rows} rows.",
            where=where,
            remedy="return one number per row, in the rows' order.",
        )
    wrong = _unusable(array)
    if wrong:
        raise ModelError(
            f"{wrong} of {rows} predictions are NaN, infinite or beyond {LARGEST:g}.",
            where=where,
            remedy="let the model return a finite number for every row it may meet.",
        )
    return array


def _numbers(values: Any) -> FloatArray | None:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def _unusable(numbers: FloatArray) -> int:
    return int((~(np.abs(numbers) <= LARGEST)).sum())
