"""How easily do small changes of one or two features turn a decision near the threshold?"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.inputs import unmeasured
from gatewright.core.checks.numbers import finite_numbers
from gatewright.core.checks.probes import Probe
from gatewright.core.checks.shares import share_of_rows
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import FloatArray

__all__ = ["measure_worst_case"]

T = TypeVar("T")
Kind = Literal["numbers", "all"]
KINDS: tuple[Kind, ...] = ("numbers", "all")

# The rows searched: of the tenth whose scores are nearest the threshold (in log odds) at most this many.
NEAR_SHARE = 0.1
SEARCHED_ROWS = 200
# A number moves by these shares of its standard deviation, a whole number by at least one.
STEPS = (-0.1, -0.05, 0.05, 0.1)
# A whole number with few values is a flag or a code. A category changes to one of the most frequent others.
FEW_VALUES = 10
CATEGORIES = 4
# At most so many single changes, and so many pairs of them, are tried for each row.
MOVES = 250
PAIRS = 100


@dataclass(frozen=True)
class _Move:
    """``column`` plus ``step``, kept within the range of the data; or for a category ``value`` instead."""

    column: str
    step: float = 0.0
    value: Any = None
    low: float = 0.0
    high: float = 0.0

    def apply(self, column: "pd.Series[Any]") -> Any:
        return self.value if self.value is not None else (column + self.step).clip(self.low, self.high)


def measure_worst_case(probe: Probe) -> tuple[Measurement, ...]:
    """``worst_case_flip_rate``: the share of rows near the threshold whose decision small changes can turn.

    Slice ``numbers``: one or two numbers move by up to a tenth of their standard deviation; slice ``all``: also
    one category to another. A greedy search: every single change, then every second change on top of the best
    first, and besides that all pairs, or a random part of them. Three model calls a slice, with at most
    (2 * `MOVES` + `PAIRS`) * `SEARCHED_ROWS` rows. A lower bound: changes that it does not try may turn more.
    """
    near = _near(probe)
    return tuple(_searched(near, kind, _moves(probe, kind)) for kind in KINDS)


def _near(probe: Probe) -> Probe:
    distance = np.abs(_log_odds(probe.scores) - _log_odds(np.array([probe.threshold])))
    nearest = probe.order[np.argsort(distance[probe.order], kind="stable")]
    part = probe.take(nearest[: int(np.ceil(NEAR_SHARE * nearest.size))])
    return part.sample(SEARCHED_ROWS)


def _log_odds(scores: FloatArray) -> FloatArray:
    safe = np.clip(scores, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps)
    return np.asarray(np.log(safe) - np.log1p(-safe))


def _moves(probe: Probe, kind: Kind) -> list[_Move]:
    """The changes to try; of too many a random part."""
    return _part([move for name in probe.features for move in _moves_of(probe, name, kind)], MOVES, probe.seed)


def _pairs(moves: Sequence[_Move], seed: int) -> list[tuple[_Move, ...]]:
    """Pairs of changes of two columns; of too many a random part."""
    return _part([pair for pair in itertools.combinations(moves, 2) if pair[0].column != pair[1].column], PAIRS, seed)


def _part(candidates: list[T], at_most: int, seed: int) -> list[T]:
    if len(candidates) <= at_most:
        return candidates
    kept = np.random.default_rng(seed).choice(len(candidates), at_most, replace=False)
    return [candidates[index] for index in np.sort(kept)]


def _moves_of(probe: Probe, name: str, kind: Kind) -> Sequence[_Move]:
    column = probe.frame[name]
    if name not in probe.categorical and pd.api.types.is_numeric_dtype(column):
        known = finite_numbers(column)
        whole = bool((known == np.trunc(known)).all())
        if not (whole and np.unique(known).size <= FEW_VALUES):
            return _steps(name, known, whole)
    if kind == "numbers":
        return ()
    counts = column.value_counts().sort_index(key=lambda index: index.map(str))
    frequent = counts.sort_values(ascending=False, kind="stable").index[: CATEGORIES + 1]
    return [_Move(name, value=value) for value in frequent]


def _steps(name: str, known: FloatArray, whole: bool) -> list[_Move]:
    steps = np.array(STEPS) * (known.std() if known.size else 0.0)
    if whole:
        steps = np.sign(steps) * np.maximum(1.0, np.rint(np.abs(steps)))
    low, high = float(known.min(initial=0.0)), float(known.max(initial=0.0))
    return [_Move(name, step=float(step), low=low, high=high) for step in np.unique(steps[steps != 0])]


def _searched(near: Probe, kind: Kind, moves: Sequence[_Move]) -> Measurement:
    rows = len(near.frame)
    if not rows or not moves:
        reason = "no rows" if not rows else "no feature can be changed a little"
        return unmeasured("worst_case_flip_rate", rows, reason, slice=kind)
    side = near.scores >= near.threshold
    singles = [(move,) for move in moves]
    first = _tried(near, near.frame, singles)
    flipped = _turned(first, side, near.threshold)
    best = np.where(side, first.argmin(axis=0), first.argmax(axis=0))
    for frame, changes in (
        (_moved(near.frame, moves, best), singles),
        (near.frame, _pairs(moves, near.seed)),
    ):
        flipped |= _turned(_tried(near, frame, changes), side, near.threshold)
    return share_of_rows(
        "worst_case_flip_rate",
        flipped,
        confidence=near.confidence,
        clusters=near.clusters,
        seed=near.seed,
        slice=kind,
        note=f"scores from {near.scores.min():.3g} to {near.scores.max():.3g}; {len(moves)} changes, and pairs of them",
    )


def _tried(near: Probe, frame: pd.DataFrame, tried: Sequence[tuple[_Move, ...]]) -> FloatArray:
    """Scores of each row after each set of moves, shape (sets, rows)."""
    changes = [{move.column: move.apply(frame[move.column]) for move in moves} for moves in tried]
    return replace(near, frame=frame).ask(changes, where="worst-case search")


def _turned(scores: FloatArray, side: NDArray[np.bool_], threshold: float) -> NDArray[np.bool_]:
    return np.asarray(((scores >= threshold) != side).any(axis=0))


def _moved(frame: pd.DataFrame, moves: Sequence[_Move], chosen: NDArray[np.int64]) -> pd.DataFrame:
    """Each row after its chosen move."""
    moved = frame.copy()
    for index in np.unique(chosen):
        rows, move = chosen == index, moves[index]
        changed = frame.assign(**{move.column: move.apply(frame[move.column])})[move.column]
        moved[move.column] = moved[move.column].where(~rows, changed)
    return moved
