"""Does the model withstand small faults in its inputs?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.inputs import (
    accept_clusters,
    accept_columns,
    accept_labels,
    accept_scores,
    measured,
    unmeasured,
)
from gatewright.core.errors import SpecError
from gatewright.core.results import Measurement
from gatewright.core.spec import Perturbation
from gatewright.core.statistics.auc import auc, auc_difference_interval
from gatewright.core.statistics.blocks import BlockTable, FloatArray, assign_blocks, block_sums, bootstrap
from gatewright.core.statistics.confusion import RATES, rate_interval

__all__ = ["measure_robustness", "perturb"]

Column = "pd.Series[Any]"


def perturb(frame: pd.DataFrame, perturbation: Perturbation, *, categorical: Sequence[str], seed: int) -> pd.DataFrame:
    """A copy of ``frame`` with the perturbation's columns changed; equal seeds give equal copies.

    Raises DataError for a missing column, SpecError where the kind does not fit a column (noise on text or
    on a categorical number, swapping where there is one category).
    """
    where = f"perturbation {perturbation.name}"
    accept_columns(frame, perturbation.columns, where=where)
    changed = frame.copy()
    for name in perturbation.columns:
        rng = np.random.default_rng([seed, crc32(f"{perturbation.name}/{name}".encode())])
        if perturbation.kind == "noise" and not _is_number(frame[name], name, categorical):
            raise SpecError(
                f"noise needs numbers, but `{name}` is categorical.",
                where=where,
                remedy="use the kind `swap` or `missing` for it.",
            )
        changed[name] = _KINDS[perturbation.kind](frame[name], perturbation, rng)
    return changed


def _is_number(column: "pd.Series[Any]", name: str, categorical: Sequence[str]) -> bool:
    return name not in categorical and pd.api.types.is_numeric_dtype(column)


def _noise(column: "pd.Series[Any]", perturbation: Perturbation, rng: np.random.Generator) -> Any:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[np.isfinite(values)]
    spread = known.std() if known.size else 0.0
    return values + rng.normal(0.0, 1.0, values.size) * perturbation.amount * spread


def _missing(column: "pd.Series[Any]", perturbation: Perturbation, rng: np.random.Generator) -> Any:
    return column.mask(rng.random(len(column)) < perturbation.amount)


def _swap(column: "pd.Series[Any]", perturbation: Perturbation, rng: np.random.Generator) -> Any:
    categories = np.array(sorted(column.dropna().unique(), key=str), dtype=object)
    if categories.size < 2:
        raise SpecError(
            f"`{column.name}` has {categories.size} category in the data: there is none to swap with.",
            where=f"perturbation {perturbation.name}",
            remedy="take the column out of the perturbation.",
        )
    codes = pd.Categorical(column, categories=categories).codes.astype(np.int64)
    others = (codes + rng.integers(1, categories.size, codes.size)) % categories.size
    hit = (rng.random(codes.size) < perturbation.amount) & (codes >= 0)
    swapped = column.astype(object).to_numpy(copy=True)
    swapped[hit] = categories[others[hit]]
    return pd.Series(swapped, index=column.index).astype(column.dtype)


_KINDS: dict[str, Callable[["pd.Series[Any]", Perturbation, np.random.Generator], Any]] = {
    "noise": _noise,
    "missing": _missing,
    "swap": _swap,
}


def measure_robustness(
    labels: Any,
    scores: Any,
    perturbed: Mapping[str, Any],
    *,
    threshold: float,
    confidence: float,
    clusters: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """``auc_drop`` (original minus perturbed) and ``decision_flip_rate`` for each perturbation, its slice.

    ``perturbed``: perturbation name -> scores of the same rows, shape (rows,). Raises DataError for wrong
    labels, ModelError for scores that are NaN, outside [0, 1] or of another length.
    """
    truth = accept_labels(labels)
    ids = accept_clusters(clusters, truth.size)
    original = accept_scores(scores, truth.size, where="candidate scores")
    measurements = []
    for name, values in perturbed.items():
        changed = accept_scores(values, truth.size, where=f"scores under perturbation {name}")
        flipped = (original >= threshold) != (changed >= threshold)
        measurements.append(_auc_drop(name, truth, original, changed, confidence, ids))
        measurements.append(_flip_rate(name, flipped, confidence, ids, seed))
    return tuple(measurements)


def _auc_drop(
    name: str, labels: FloatArray, original: FloatArray, changed: FloatArray, confidence: float, clusters: Any
) -> Measurement:
    if not labels.size or labels.min() == labels.max():
        return unmeasured("auc_drop", labels.size, "needs both classes", slice=name)
    drop = auc(labels, original) - auc(labels, changed)
    interval = auc_difference_interval(labels, original, changed, confidence=confidence, clusters=clusters)
    return measured("auc_drop", drop, interval, labels.size, slice=name)


def _flip_rate(name: str, flipped: NDArray[np.bool_], confidence: float, clusters: Any, seed: int) -> Measurement:
    if not flipped.size:
        return unmeasured("decision_flip_rate", 0, "no rows", slice=name)
    blocks = assign_blocks(flipped.size, clusters)
    sums = bootstrap(BlockTable({"rows": block_sums(blocks), "selected": block_sums(blocks, flipped)}), seed=seed)
    rate = RATES["selection_rate"]
    interval = rate_interval(rate, sums, confidence, clustered=clusters is not None)
    return measured("decision_flip_rate", sums.value(rate), interval, flipped.size, slice=name)
