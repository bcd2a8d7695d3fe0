"""Build a profile of the reference in two passes: edges from a bounded sample of rows, then sums of all rows.

``blank_profile`` has the edges, `current_sums` adds rows up on them, and ``filled_profile`` is the result. Up to
`SAMPLE_ROWS` rows the sample is the data and the edges are exact.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gatewright.core.checks.inputs import accept_answers, accept_columns
from gatewright.core.checks.profile import (
    Calendar,
    CategoricalProfile,
    FeatureProfile,
    NumericProfile,
    Profile,
    Unit,
)
from gatewright.core.checks.profile_columns import Kind, Rows, numbers, unit_of
from gatewright.core.checks.profile_sums import CategoricalSums, NumericSums, ProfileSums, current_sums
from gatewright.core.checks.windows import part_codes, part_name
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.row_sample import RowSample, row_sample

__all__ = ["blank_profile", "build_profile", "filled_profile", "part_sums", "sample_rows"]

# Of the stability index.
QUANTILE_BINS = 50
# A number with at most this many values has a bin for each: quantiles would merge the levels of a 0/1 flag.
FEW_VALUES = 20
# Of all other distances.
FINE_BINS = 256
# A number with at most this many values has fine bins for each, and for what lies between them.
MAXIMUM_LEVELS = 128
# The reciprocal of a smaller one is not a number.
SMALLEST_SCALE = 1e-300


def build_profile(
    frame: pd.DataFrame,
    features: Sequence[str],
    categorical: Sequence[str],
    scores: Any | None = None,
    *,
    labels: Any | None = None,
    times: Any | None = None,
    calendar: Calendar | None = None,
) -> Profile:
    """Profile of the reference rows.

    ``scores`` (finite numbers, or classes as text) may be those of other rows, since scores on a model's own
    training rows are too extreme to compare with. ``labels``: one number or text a row. With ``times``
    (``datetime64``) and a ``calendar`` there is a profile of each of its parts. Raises DataError for a missing
    column or text in a numeric one, ModelError for bad scores.
    """
    accept_columns(frame, features, where="reference data")
    kinds = {name: _frame_kind(frame, name, categorical) for name in features}
    given = None if scores is None else accept_answers(scores, np.size(scores), where="reference scores")
    blank = blank_profile(sample_rows(frame, kinds), kinds, calendar=calendar)
    blank = blank.model_copy(update={"score": _blank_of(given), "label": _blank_of(labels)})
    whole = current_sums(frame, blank, labels=labels, times=times)
    if given is not None and blank.score is not None:
        whole = whole.with_score(blank.score, given)
    return filled_profile(blank, whole, part_sums(frame, blank, times))


def sample_rows(rows: Rows, kinds: Mapping[str, Kind], *, start: int = 0, level: int = 0) -> RowSample:
    """The sample of a frame or batch whose first row is at position ``start``, for all columns with numbers."""
    columns = {name: numbers(rows, name) for name, kind in kinds.items() if kind != "categorical"}
    return row_sample(columns, len(rows), start=start, level=level)


def part_sums(rows: Rows, blank: Profile, times: Any | None) -> dict[str, ProfileSums]:
    """The sums of a frame or batch by part of the profile's calendar."""
    if blank.calendar is None or times is None:
        return {}
    codes, found = part_codes(times, blank.calendar), {}
    for code in np.unique(codes).tolist():
        mask = codes == code
        chosen = rows.loc[mask] if isinstance(rows, pd.DataFrame) else rows.filter(mask)
        found[part_name(code, blank.calendar)] = current_sums(chosen, blank)
    return found


def blank_profile(
    sample: RowSample, kinds: Mapping[str, Kind], *, calendar: Calendar | None = None, time_column: str | None = None
) -> Profile:
    """A profile of no rows, with the edges that the sample suggests."""
    features: dict[str, FeatureProfile] = {
        name: CategoricalProfile(counts={}, nulls=0)
        if kind == "categorical"
        else _blank(sample.columns[name], sample.ranges[name], unit_of(kind))
        for name, kind in kinds.items()
    }
    return Profile(rows=0, features=features, calendar=calendar, time_column=time_column)


def filled_profile(blank: Profile, sums: ProfileSums, parts: Mapping[str, ProfileSums] | None = None) -> Profile:
    """The profile of the rows that were added up, on the edges of ``blank``."""
    features = {name: _filled(feature, sums.features[name]) for name, feature in blank.features.items()}
    given = {
        "score": None if blank.score is None or sums.score is None else _filled(blank.score, sums.score),
        "label": None if blank.label is None or sums.label is None else _filled(blank.label, sums.label),
    }
    plain = blank.model_copy(update={"score": None, "label": None, "calendar": None, "time_column": None})
    inner = {name: filled_profile(plain, part) for name, part in sorted((parts or {}).items())}
    return blank.model_copy(update={"rows": sums.rows, "features": features, "parts": inner, **given})


def _frame_kind(frame: pd.DataFrame, name: str, categorical: Sequence[str]) -> Kind:
    if name in categorical:
        return "categorical"
    if pd.api.types.is_bool_dtype(frame[name]):
        return "boolean"
    return "date" if pd.api.types.is_datetime64_any_dtype(frame[name]) else "numeric"


def _blank_of(values: Any | None) -> FeatureProfile | None:
    if values is None:
        return None
    column = pd.DataFrame({"": values})
    kinds: dict[str, Kind] = {"": "numeric" if pd.api.types.is_numeric_dtype(column[""]) else "categorical"}
    return blank_profile(sample_rows(column, kinds), kinds).features[""]


def _blank(values: FloatArray, span: tuple[float, float], unit: Unit) -> NumericProfile:
    # Sorted, so that no rounding depends on the order of rows.
    finite = np.sort(values[np.isfinite(values)])
    first = np.ones(finite.size, dtype=bool)
    first[1:] = finite[1:] > finite[:-1]
    distinct = finite[first]
    coarse = _index_edges(finite, distinct) if finite.size else np.zeros(0)
    edges = _fine_edges(finite, distinct, span, coarse) if finite.size else np.zeros(0)
    center, scale = _place(finite)
    return NumericProfile(
        unit=unit,
        edges=tuple(edges.tolist()),
        index_edges=tuple(coarse.tolist()),
        counts=(0,) * (edges.size + 1),
        means=(0.0,) * (edges.size + 1),
        nulls=0,
        low=span[0] if finite.size else None,
        high=span[1] if finite.size else None,
        mean=None,
        deviation=None,
        center=center,
        scale=scale,
    )


def _index_edges(finite: FloatArray, distinct: FloatArray) -> FloatArray:
    """Up to ``QUANTILE_BINS`` bins between distinct quantiles; numbers with few values have a bin for each."""
    if 1 < distinct.size <= FEW_VALUES:
        return distinct[1:]
    with np.errstate(over="ignore", invalid="ignore"):
        # Between numbers near the largest there is, interpolation overflows.
        quantiles = np.quantile(finite, np.linspace(0, 1, QUANTILE_BINS + 1))
    inner = np.unique(quantiles[np.isfinite(quantiles)])[1:-1]
    if inner.size:
        return inner
    # One value holds nearly all rows: a bin below it, one for it, one above it.
    usual = np.quantile(finite, 0.5, method="inverted_cdf")
    return np.concatenate([[usual], _just_above(np.array([usual]))])


def _fine_edges(finite: FloatArray, distinct: FloatArray, span: tuple[float, float], coarse: FloatArray) -> FloatArray:
    """Bins of nearly equal mass; numbers that many rows share have a bin for themselves."""
    cuts = repeated = distinct
    if distinct.size > MAXIMUM_LEVELS:
        places = np.linspace(0, finite.size - 1, FINE_BINS + 1).astype(np.int64)
        cuts, repeats = np.unique(finite[places], return_counts=True)
        repeated = cuts[repeats > 1]
    ends = np.array(span)
    return np.unique(np.concatenate([coarse, cuts, _just_above(repeated), ends[:1], _just_above(ends[1:])]))


def _just_above(values: FloatArray) -> FloatArray:
    """The next number after each; after the largest of all there is none."""
    with np.errstate(over="ignore", under="ignore"):
        above: FloatArray = np.nextafter(values, np.inf)
    return above[np.isfinite(above)]


def _place(finite: FloatArray) -> tuple[float, float]:
    """Centre and scale of fixed-point sums: about the mean and the standard deviation."""
    if not finite.size:
        return 0.0, 1.0
    largest = float(np.abs(finite).max()) or 1.0
    # Divided first: squares of large numbers overflow.
    center, scale = float((finite / largest).mean()) * largest, float((finite / largest).std()) * largest
    return center, max(scale if scale > largest * 1e-12 else largest, SMALLEST_SCALE)


def _filled(feature: FeatureProfile, sums: Any) -> FeatureProfile:
    if isinstance(feature, NumericProfile) and isinstance(sums, NumericSums):
        return _filled_numbers(feature, sums)
    if isinstance(feature, CategoricalProfile) and isinstance(sums, CategoricalSums):
        counts = dict(sorted(sums.counts.items()))
        return CategoricalProfile(counts=counts, other=sums.other, nulls=sums.nulls)
    raise TypeError(f"{type(sums).__name__} do not fill a {type(feature).__name__}")


def _filled_numbers(profile: NumericProfile, sums: NumericSums) -> NumericProfile:
    mean, deviation = sums.moments() if sums.rows else (None, None)
    return profile.model_copy(
        update={
            "counts": tuple(sums.counts.tolist()),
            "means": tuple(sums.means().tolist()),
            "nulls": sums.nulls,
            "mean": None if mean is None else profile.center + mean * profile.scale,
            "deviation": None if deviation is None else deviation * profile.scale,
        }
    )
