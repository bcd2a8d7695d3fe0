"""Has the champion learned from the rows on which a candidate is compared with it?"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.duplicates import Hashes, RowIndex, kind_of, row_hashes
from gatewright.core.checks.inputs import accept_columns, unmeasured
from gatewright.core.checks.shares import share_of_rows
from gatewright.core.errors import DataError, IntegrityError, NotFoundError
from gatewright.core.results import Measurement

__all__ = ["CHAMPION_METRICS", "measure_champion_seen"]

ROWS, ENTITIES = CHAMPION_METRICS = ("champion_seen_rows", "champion_seen_entities")
WHERE = "the champion's training data"
# What is wrong with stored data; a store that does not answer is asked again instead.
UNUSABLE = (DataError, IntegrityError, NotFoundError)


def measure_champion_seen(
    evaluation: pd.DataFrame,
    training: Iterable[pd.DataFrame],
    *,
    key: Sequence[str],
    cluster: Sequence[str],
    confidence: float,
) -> tuple[Measurement, Measurement]:
    """Shares of the evaluation that stand in the champion's ``training``: they flatter it in the comparison.

    ``champion_seen_rows`` finds rows by ``key``; ``champion_seen_entities`` counts each ``cluster`` once, and has no
    value without one. Parts of ``training`` are looked at one after the other. Where one cannot be read, lacks a
    column or holds it as another kind, neither has a value: unknown is not none. Raises DataError for columns that
    ``evaluation`` lacks, and StoreError for a store that does not answer.
    """
    accept_columns(evaluation, [*key, *cluster], where="evaluation data")
    rows = row_hashes(evaluation, key)
    entities = np.unique(row_hashes(evaluation, cluster)) if cluster else rows[:0]
    try:
        seen_rows, seen_entities = np.zeros(rows.size, dtype=bool), np.zeros(entities.size, dtype=bool)
        for part in _alike(training, evaluation, [*key, *cluster]):
            seen_rows |= _stand_in(rows, part, key)
            seen_entities |= _stand_in(entities, part, cluster)
    except UNUSABLE as error:
        note = f"not compared with {WHERE}: {error.where}: {error.problem}"
        return unmeasured(ROWS, rows.size, note), unmeasured(ENTITIES, entities.size, note)
    found = _share(ROWS, seen_rows, "rows", confidence)
    if not cluster:
        return found, unmeasured(ENTITIES, 0, "the spec names no cluster columns")
    return found, _share(ENTITIES, seen_entities, "entities", confidence)


def _alike(parts: Iterable[pd.DataFrame], like: pd.DataFrame, columns: Sequence[str]) -> Iterable[pd.DataFrame]:
    """The parts, each with columns whose values can equal those of ``like``. Raises DataError, also for no row."""
    total = 0
    for part in parts:
        accept_columns(part, columns, where=WHERE)
        for name in columns:
            ours, theirs = kind_of(like[name]), kind_of(part[name])
            if ours is not None and theirs is not None and ours != theirs:
                raise DataError(
                    f"`{name}` holds {theirs}, in the evaluation data {ours}.",
                    where=WHERE,
                    remedy="compare with a champion whose data have the same columns.",
                )
        total += len(part)
        yield part
    if not total:
        raise DataError("there are no rows.", where=WHERE, remedy="name the data that the champion was trained on.")


def _stand_in(asked: Hashes, part: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    hashes = row_hashes(part, columns)
    return RowIndex.of(hashes, hashes).holds(asked)


def _share(metric: str, seen: NDArray[np.bool_], what: str, confidence: float) -> Measurement:
    note = f"{int(seen.sum())} of {seen.size} {what}"
    return share_of_rows(metric, seen, confidence=confidence, note=note)
