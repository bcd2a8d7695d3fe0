"""Faults as a model meets them in its inputs: noise, gaps, mix-ups, wrong units, shifts, impossible numbers."""

from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.duplicates import content_order
from gatewright.core.checks.inputs import accept_columns
from gatewright.core.checks.numbers import finite_numbers, numbers
from gatewright.core.errors import SpecError
from gatewright.core.spec import Perturbation
from gatewright.core.statistics.blocks import FloatArray

__all__ = ["perturb"]

NUMERIC_KINDS = frozenset({"noise", "unit_error", "shift", "out_of_range"})


def perturb(
    frame: pd.DataFrame,
    perturbation: Perturbation,
    *,
    categorical: Sequence[str],
    seed: int,
    order: NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """A copy of ``frame`` with the perturbation's columns changed.

    A row's fault depends on its content and ``seed``, not on its place; ``order`` is `content_order` of the
    frame where the caller has it. A smaller ``amount`` changes a part of the same cells, or the same cells
    less. Raises DataError for a missing column, SpecError where the kind does not fit a column (numbers asked
    for, one category only, no spread) or where no row has a value of ``where``.
    """
    where = f"perturbation {perturbation.name}"
    accept_columns(frame, [*perturbation.columns, *filter(None, [perturbation.where])], where=where)
    order = content_order(frame, seed=seed) if order is None else order
    changed = frame.copy(deep=False)
    for name in perturbation.columns:
        _accept_kind(frame[name], perturbation, categorical, where)
        rng = np.random.default_rng([seed, crc32(f"{perturbation.name}/{name}".encode())])
        changed[name] = _KINDS[perturbation.kind](frame[name], frame, perturbation, _Draws(rng, order))
    return changed


class _Draws:
    """Random numbers for the rows, drawn in the order of their content."""

    def __init__(self, rng: np.random.Generator, order: NDArray[np.int64]) -> None:
        self._rng, self._order = rng, order

    def uniform(self) -> FloatArray:
        return self._placed(self._rng.random(self._order.size))

    def normal(self) -> FloatArray:
        return self._placed(self._rng.normal(0.0, 1.0, self._order.size))

    def integers(self, low: int, high: int) -> NDArray[np.int64]:
        return self._placed(self._rng.integers(low, high, self._order.size))

    def _placed(self, values: NDArray[Any]) -> NDArray[Any]:
        placed = np.empty_like(values)
        placed[self._order] = values
        return placed


def _accept_kind(column: "pd.Series[Any]", perturbation: Perturbation, categorical: Sequence[str], where: str) -> None:
    number = column.name not in categorical and pd.api.types.is_numeric_dtype(column)
    if perturbation.kind in NUMERIC_KINDS and not number:
        raise SpecError(
            f"{perturbation.kind} needs numbers, but `{column.name}` is categorical.",
            where=where,
            remedy="use the kind `swap` or `missing` for it.",
        )


def _known(column: "pd.Series[Any]", perturbation: Perturbation) -> FloatArray:
    """The finite values. Raises SpecError when they do not differ: a share of no spread changes nothing."""
    known = finite_numbers(column)
    if not (known.size and known.min() < known.max()):
        raise SpecError(
            f"`{column.name}` has no two different numbers in the data: it has no spread to go by.",
            where=f"perturbation {perturbation.name}",
            remedy="take the column out of the perturbation.",
        )
    return known


def _noise(column: "pd.Series[Any]", _: pd.DataFrame, perturbation: Perturbation, draws: _Draws) -> Any:
    return numbers(column) + draws.normal() * perturbation.amount * _known(column, perturbation).std()


def _shift(column: "pd.Series[Any]", frame: pd.DataFrame, perturbation: Perturbation, _: _Draws) -> Any:
    moved = np.ones(len(column), dtype=bool)
    if perturbation.where:
        moved = frame[perturbation.where].isin(perturbation.values).to_numpy()
    if not moved.any():
        raise SpecError(
            f"no row has a value of `values` in `{perturbation.where}`: nothing would be shifted.",
            where=f"perturbation {perturbation.name}",
            remedy="correct `where` and `values`.",
        )
    return numbers(column) + moved * perturbation.amount * _known(column, perturbation).std()


def _unit_error(column: "pd.Series[Any]", _: pd.DataFrame, perturbation: Perturbation, draws: _Draws) -> Any:
    hit = draws.uniform() < perturbation.amount
    return numbers(column) * np.where(hit, _factor(perturbation), 1.0)


def _out_of_range(column: "pd.Series[Any]", _: pd.DataFrame, perturbation: Perturbation, draws: _Draws) -> Any:
    known = _known(column, perturbation)
    beyond = known.max() + _factor(perturbation) * (known.max() - known.min())
    return np.where(draws.uniform() < perturbation.amount, beyond, numbers(column))


def _factor(perturbation: Perturbation) -> float:
    # The spec has one for each kind that needs it.
    return perturbation.factor or 1.0


def _missing(column: "pd.Series[Any]", _: pd.DataFrame, perturbation: Perturbation, draws: _Draws) -> Any:
    return column.mask(draws.uniform() < perturbation.amount)


def _swap(column: "pd.Series[Any]", _: pd.DataFrame, perturbation: Perturbation, draws: _Draws) -> Any:
    categories = np.array(sorted(column.dropna().unique(), key=str), dtype=object)
    if categories.size < 2:
        raise SpecError(
            f"`{column.name}` has {categories.size} category in the data: there is none to swap with.",
            where=f"perturbation {perturbation.name}",
            remedy="take the column out of the perturbation.",
        )
    codes = pd.Categorical(column, categories=categories).codes.astype(np.int64)
    others = (codes + draws.integers(1, categories.size)) % categories.size
    hit = (draws.uniform() < perturbation.amount) & (codes >= 0)
    swapped = column.astype(object).to_numpy(copy=True)
    swapped[hit] = categories[others[hit]]
    return pd.Series(swapped, index=column.index).astype(column.dtype)


_KINDS: dict[str, Callable[["pd.Series[Any]", pd.DataFrame, Perturbation, _Draws], Any]] = {
    "noise": _noise,
    "missing": _missing,
    "swap": _swap,
    "unit_error": _unit_error,
    "shift": _shift,
    "out_of_range": _out_of_range,
}
