"""Do today's inputs and scores still look like those the model was trained on?

A profile keeps histograms of the reference, so that it travels with a release and the reference data need not.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from gatewright.core.checks.inputs import accept_columns, accept_scores, measured, unmeasured
from gatewright.core.errors import DataError
from gatewright.core.records import Record
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.distances import (
    expected_stability_index,
    population_stability_index,
    stability_index_interval,
)
from gatewright.core.statistics.proportions import newcombe_difference, wilson

__all__ = ["CategoricalProfile", "NumericProfile", "Profile", "build_profile", "measure_drift"]

QUANTILE_BINS = 50
# A number with at most this many values has a bin for each: quantiles would merge the levels of a 0/1 flag.
FEW_VALUES = 20

Count = Annotated[int, Field(ge=0)]


class NumericProfile(Record):
    """Counts of the reference between inner ``edges``; a value on an edge belongs to the bin above."""

    kind: Literal["numeric"] = "numeric"
    edges: tuple[float, ...]
    counts: tuple[Count, ...]
    nulls: Count


class CategoricalProfile(Record):
    """Counts of the reference per category, as text."""

    kind: Literal["categorical"] = "categorical"
    counts: dict[str, Count]
    nulls: Count


class Profile(Record):
    """The reference a model is compared with: ``rows`` rows, a histogram per feature, one of the scores."""

    rows: Count
    features: dict[str, Annotated[NumericProfile | CategoricalProfile, Field(discriminator="kind")]]
    score: NumericProfile | None


def build_profile(
    frame: pd.DataFrame, features: Sequence[str], categorical: Sequence[str], scores: Any | None = None
) -> Profile:
    """Profile of the reference rows.

    Numbers get up to ``QUANTILE_BINS`` bins between distinct quantiles, those with few values a bin for each.
    ``scores`` within [0, 1] may be those of other rows, since scores on a model's own training rows are too
    extreme to compare with. Raises DataError for a missing column or text in a numeric one, ModelError for
    bad scores.
    """
    accept_columns(frame, features, where="reference data")
    profiles: dict[str, NumericProfile | CategoricalProfile] = {
        name: _profile_categories(frame[name]) if name in categorical else _profile_numbers(_numbers(frame, name))
        for name in features
    }
    score = None
    if scores is not None:
        score = _profile_numbers(accept_scores(scores, np.size(scores), where="reference scores"))
    return Profile(rows=len(frame), features=profiles, score=score)


def measure_drift(
    profile: Profile, frame: pd.DataFrame, scores: Any | None = None, *, confidence: float, seed: int = 0
) -> tuple[Measurement, ...]:
    """``psi`` and ``null_rate_change`` per feature, ``new_categories`` per categorical one, ``psi`` of ``score``.

    ``psi`` leaves nulls out; ``null_rate_change`` is the share of nulls now minus then; ``new_categories`` is
    the share of rows with a category that the reference never had. The slice is the feature's name. Raises
    DataError for a missing column or text in a numeric one, ModelError for bad scores.
    """
    accept_columns(frame, tuple(profile.features), where="current data")
    measurements: list[Measurement] = []
    for name, reference in profile.features.items():
        if isinstance(reference, CategoricalProfile):
            measurements += _categorical_drift(name, reference, frame[name], confidence, seed)
        else:
            measurements += _numeric_drift(name, reference, _numbers(frame, name), confidence, seed)
    if profile.score is not None and scores is not None:
        current = accept_scores(scores, len(frame), where="current scores")
        measurements.append(_score_drift(profile.score, current, confidence, seed))
    elif profile.score is not None or scores is not None:
        note = "scores are missing from " + ("the current data" if scores is None else "the profile")
        measurements.append(unmeasured("psi", len(frame), note, slice="score"))
    return tuple(measurements)


def _numbers(frame: pd.DataFrame, name: str) -> FloatArray:
    column = frame[name]
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        raise DataError(
            f"column `{name}` holds {column.dtype}, not numbers.",
            where=f"column {name}",
            remedy="list it under `categorical` in the model spec, or correct the data.",
        )
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _profile_numbers(values: FloatArray) -> NumericProfile:
    known = values[~np.isnan(values)]
    finite = known[np.isfinite(known)]
    edges = _edges(finite) if finite.size else np.zeros(0)
    counts = _histogram(known, edges)
    return NumericProfile(
        edges=tuple(edges.tolist()), counts=tuple(counts.tolist()), nulls=int(values.size - known.size)
    )


def _edges(finite: FloatArray) -> FloatArray:
    distinct = np.unique(finite)
    if 1 < distinct.size <= FEW_VALUES:
        return distinct[1:]
    inner = np.unique(np.quantile(finite, np.linspace(0, 1, QUANTILE_BINS + 1)))[1:-1]
    if inner.size:
        return inner
    # One value holds nearly all rows: a bin below it, one for it, one above it.
    usual = np.quantile(finite, 0.5, method="inverted_cdf")
    return np.array([usual, np.nextafter(usual, np.inf)])


def _profile_categories(column: "pd.Series[Any]") -> CategoricalProfile:
    counts, nulls = _categories(column)
    return CategoricalProfile(counts=dict(sorted(counts.items())), nulls=nulls)


def _histogram(known: FloatArray, edges: FloatArray) -> NDArray[np.int64]:
    bins = np.searchsorted(edges, known, side="right")
    return np.bincount(bins, minlength=edges.size + 1).astype(np.int64)


def _categories(column: "pd.Series[Any]") -> tuple[dict[str, int], int]:
    known = column.dropna()
    counts = known.astype(str).value_counts()
    return {str(name): int(count) for name, count in counts.items()}, len(column) - len(known)


def _numeric_drift(
    name: str, reference: NumericProfile, values: FloatArray, confidence: float, seed: int
) -> list[Measurement]:
    known = values[~np.isnan(values)]
    current = _histogram(known, np.asarray(reference.edges))
    nulls = int(values.size - known.size)
    return [
        _stability(name, np.asarray(reference.counts), current, confidence, seed),
        _null_change(name, (reference.nulls, sum(reference.counts)), (nulls, known.size), confidence),
    ]


def _score_drift(reference: NumericProfile, scores: FloatArray, confidence: float, seed: int) -> Measurement:
    current = _histogram(scores, np.asarray(reference.edges))
    return _stability("score", np.asarray(reference.counts), current, confidence, seed)


def _categorical_drift(
    name: str, reference: CategoricalProfile, column: "pd.Series[Any]", confidence: float, seed: int
) -> list[Measurement]:
    counts, nulls = _categories(column)
    known = sum(counts.values())
    union = sorted(reference.counts.keys() | counts.keys())
    then, now = (_aligned(side, union) for side in (reference.counts, counts))
    return [
        _stability(name, then, now, confidence, seed),
        _null_change(name, (reference.nulls, sum(reference.counts.values())), (nulls, known), confidence),
        _new_categories(name, reference, counts, len(column), confidence),
    ]


def _aligned(counts: Mapping[str, int], names: Sequence[str]) -> NDArray[np.int64]:
    return np.array([counts.get(name, 0) for name in names], dtype=np.int64)


def _stability(
    name: str, reference: NDArray[np.int64], current: NDArray[np.int64], confidence: float, seed: int
) -> Measurement:
    n = int(current.sum())
    if not (n and reference.sum()):
        return unmeasured("psi", n, "no values that are not null", slice=name)
    value = float(population_stability_index(reference, current))
    interval = stability_index_interval(reference, current, confidence=confidence, seed=seed)
    note = f"about {expected_stability_index(reference, current):.4f} without any drift"
    return measured("psi", value, interval, n, slice=name, note=note)


def _null_change(name: str, then: tuple[int, int], now: tuple[int, int], confidence: float) -> Measurement:
    """``then`` and ``now``: (nulls, other rows)."""
    before, after = (then[0], sum(then)), (now[0], sum(now))
    if not (before[1] and after[1]):
        return unmeasured("null_rate_change", after[1], "no rows", slice=name)
    value = after[0] / after[1] - before[0] / before[1]
    interval = newcombe_difference(after, before, confidence=confidence)
    return measured("null_rate_change", value, interval, after[1], slice=name)


def _new_categories(
    name: str, reference: CategoricalProfile, counts: Mapping[str, int], rows: int, confidence: float
) -> Measurement:
    if not rows:
        return unmeasured("new_categories", rows, "no rows", slice=name)
    new = {category: count for category, count in counts.items() if category not in reference.counts}
    share = sum(new.values())
    interval = wilson(share, rows, confidence=confidence)
    note = f"new: {', '.join(sorted(new)[:10])}" if new else ""
    return measured("new_categories", share / rows, interval, rows, slice=name, note=note)
