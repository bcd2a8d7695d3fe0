"""An attacker's view: the smallest change of the numbers that turns a decision, sought by HopSkipJump.

Chen, Jordan, Wainwright (2020), IEEE Symposium on Security and Privacy, 1277-1294, as the Adversarial
Robustness Toolbox has it: it sees decisions only, so any model will do. The optional extra ``adversarial``.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gatewright.core.checks.inputs import accept_columns, unmeasured
from gatewright.core.checks.probes import Probe
from gatewright.core.checks.shares import share_of_rows
from gatewright.core.errors import SpecError
from gatewright.core.results import Measurement

__all__ = ["attack"]

Numbers = npt.NDArray[np.float64]

METRIC = "adversarial_flip_rate"
# Of so many rows, up to so many of the other decision give their numbers as the attack's starting point.
OTHER_ROWS, STARTS = 10_000, 100
# Points tried on the line from a row to what the attack found.
WALK = 50
# Calls that estimate the direction of the boundary, at the first iteration and at most.
FIRST_EVALUATIONS, MOST_EVALUATIONS = 20, 200


def attack(probe: Probe, *, columns: Sequence[str], rows: int, iterations: int, budget: float) -> Measurement:
    """``adversarial_flip_rate``: the share of ``rows`` rows whose decision a change within ``budget`` turns.

    Only the numeric ``columns`` change, each within its range in the data; ``budget`` is a Euclidean distance
    in their standard deviations. The attack gives an upper bound of the distance, so the rate is a lower one.
    Some 15 small model calls an iteration and row. Raises SpecError where the extra is not installed or a
    column is no number, DataError for missing columns.
    """
    accept_columns(probe.frame, columns, where="adversarial attack")
    space = _Space.of(probe.frame, columns)
    part = probe.sample(rows)
    if not len(part.frame):
        return unmeasured(METRIC, 0, "no rows")
    others = probe.sample(OTHER_ROWS)
    with _seeded(probe.seed):
        distances = np.array([_distance(part, row, others, space, iterations) for row in range(len(part.frame))])
    found = distances[np.isfinite(distances)]
    median = f"{np.median(found):.2g}" if found.size else "none"
    return share_of_rows(
        METRIC,
        distances <= budget,
        confidence=probe.confidence,
        clusters=part.clusters,
        seed=probe.seed,
        note=f"{found.size} of {distances.size} rows turned, median distance {median} standard deviations",
    )


@dataclass(frozen=True)
class _Space:
    """Numeric columns in standard deviations; arrays have shape (columns,)."""

    columns: tuple[str, ...]
    scale: Numbers
    low: Numbers
    high: Numbers

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: Sequence[str]) -> "_Space":
        texts = [name for name in columns if not pd.api.types.is_numeric_dtype(frame[name])]
        values = frame[[name for name in columns if name not in texts]].to_numpy(dtype=np.float64, na_value=np.nan)
        if texts or not len(columns) or not (np.nanstd(values, axis=0) > 0).all():
            raise SpecError(
                f"{', '.join(texts) or 'a column'} cannot be attacked: it needs numbers that differ.",
                where="adversarial attack",
                remedy="name numeric columns with more than one value.",
            )
        return cls(tuple(columns), np.nanstd(values, axis=0), np.nanmin(values, axis=0), np.nanmax(values, axis=0))

    def points(self, frame: pd.DataFrame) -> Numbers:
        """The rows' numbers, shape (rows, columns); a missing one is put at the lowest."""
        values = frame[list(self.columns)].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(np.where(np.isnan(values), self.low, values) / self.scale)

    def frame(self, row: pd.DataFrame, points: npt.NDArray[Any]) -> pd.DataFrame:
        """The one ``row`` with its numbers at each of ``points``."""
        values = np.clip(points * self.scale, self.low, self.high)
        copies = row.iloc[np.zeros(len(points), dtype=int)].reset_index(drop=True)
        return copies.assign(**{name: values[:, place] for place, name in enumerate(self.columns)})


def _distance(part: Probe, index: int, others: Probe, space: _Space, iterations: int) -> float:
    """How far the nearest point found lies at which the row's decision is the other one; infinite for none."""
    row = part.frame.iloc[[index]]
    side = bool(part.scores[index] >= part.threshold)

    def turned(points: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        scores = part.score(space.frame(row, points), where="adversarial attack")
        return np.asarray((scores >= part.threshold) != side)

    origin = space.points(row)
    starts = space.points(others.frame[(others.scores >= part.threshold) != side].head(STARTS))
    reached = starts[turned(starts)] if len(starts) else starts
    if not len(reached):
        return float("inf")
    nearest = reached[[np.linalg.norm(reached - origin, axis=1).argmin()]]
    found = _hop_skip_jump(turned, origin, nearest, space, iterations)
    # The attack ends beside the boundary, in single precision: walk back along the line, and from the start.
    walk = np.linspace(0, 1, WALK + 1)[1:, None]
    points = np.concatenate([origin + walk * (end - origin) for end in (found, nearest)])
    return float(np.linalg.norm(points - origin, axis=1)[turned(points)].min(initial=np.inf))


def _hop_skip_jump(turned: Any, origin: Numbers, start: Numbers, space: _Space, iterations: int) -> Numbers:
    attacks, classification = _toolbox()
    classifier = classification.BlackBoxClassifier(
        lambda points: np.eye(2, dtype=np.float32)[turned(points).astype(int)],
        input_shape=(origin.shape[1],),
        nb_classes=2,
        clip_values=(float((space.low / space.scale).min()), float((space.high / space.scale).max())),
    )
    search = attacks.HopSkipJump(
        classifier,
        norm=2,
        max_iter=iterations,
        init_eval=FIRST_EVALUATIONS,
        max_eval=MOST_EVALUATIONS,
        verbose=False,
    )
    found = search.generate(origin.astype(np.float32), x_adv_init=start.astype(np.float32))
    return np.asarray(found, dtype=np.float64)


def _toolbox() -> tuple[Any, Any]:
    try:
        from art.attacks import evasion  # type: ignore[import-untyped]
        from art.estimators import classification  # type: ignore[import-untyped]
    except ImportError as error:
        raise SpecError(
            "the Adversarial Robustness Toolbox is not installed.",
            where="adversarial attack",
            remedy="install `gatewright[adversarial]`, or take `adversarial` out of the model spec.",
        ) from error
    return evasion, classification


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The toolbox draws from numpy's global generator: seeded for us, and given back as it was."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
