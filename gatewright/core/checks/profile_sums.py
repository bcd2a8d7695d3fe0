"""What one pass over rows adds up: integers only, so that the parts of a table give the same bytes in any order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Self, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.inputs import accept_answers
from gatewright.core.checks.profile import CategoricalProfile, FeatureProfile, NumericProfile, Profile
from gatewright.core.checks.profile_columns import Rows, column_names, counted, numbers
from gatewright.core.checks.windows import part_codes, part_name
from gatewright.core.errors import DataError
from gatewright.core.statistics.binning import binning
from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = [
    "MAXIMUM_CATEGORIES",
    "CategoricalSums",
    "FeatureSums",
    "NumericSums",
    "ProfileSums",
    "current_sums",
    "no_sums",
    "numeric_sums",
]

# More categories than this nobody compares one by one: an identifier, or free text.
MAXIMUM_CATEGORIES = 10_000
# Numbers are summed in units of ``scale`` / 2**16 from ``center``, at most 2**15 scales away.
UNITS = 1 << 16
REACH = 1 << 15
# Rows at a time: what fits the processor's cache.
STRETCH = 1 << 15


@dataclass(frozen=True)
class NumericSums:
    """Per fine bin of a profile: ``counts`` and ``totals`` in fixed point, shapes (bins,); ``squares`` of all rows.

    ``low`` and ``high`` are the smallest and largest value in scales from the centre, within the reach.
    """

    counts: IntArray
    totals: IntArray
    squares: int
    low: float
    high: float
    nulls: int

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.counts + other.counts,
            self.totals + other.totals,
            self.squares + other.squares,
            min(self.low, other.low),
            max(self.high, other.high),
            self.nulls + other.nulls,
        )

    @property
    def rows(self) -> int:
        """Rows that are not null."""
        return int(self.counts.sum())

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation in scales from the centre; needs rows."""
        n, total = self.rows, int(self.totals.sum())
        variance = Fraction(n * self.squares - total * total, n * n)
        return total / n / UNITS, float(variance) ** 0.5 / UNITS

    def means(self) -> FloatArray:
        """Mean of each bin in scales from the centre, 0 where it is empty."""
        return self.totals / np.maximum(self.counts, 1) / UNITS


@dataclass(frozen=True)
class CategoricalSums:
    """Rows per category; with more than ``MAXIMUM_CATEGORIES`` that are not ``known``, all of those are ``other``."""

    counts: Mapping[str, int]
    other: int
    nulls: int
    known: frozenset[str]

    def __add__(self, other: Self) -> Self:
        counts = dict(self.counts)
        for name, count in other.counts.items():
            counts[name] = counts.get(name, 0) + count
        return type(self)._capped(counts, self.other + other.other, self.nulls + other.nulls, self.known)

    @classmethod
    def _capped(cls, counts: dict[str, int], other: int, nulls: int, known: frozenset[str]) -> Self:
        strangers = counts.keys() - known
        if other or len(strangers) > MAXIMUM_CATEGORIES:
            other += sum(counts[name] for name in strangers)
            counts = {name: count for name, count in counts.items() if name in known}
        return cls(counts, other, nulls, known)

    @classmethod
    def of(cls, rows: Rows, name: str, known: frozenset[str]) -> Self:
        """The sums of a column."""
        counts, nulls = counted(rows, name)
        return cls._capped(counts, 0, nulls, known)

    @property
    def rows(self) -> int:
        """Rows that are not null."""
        return sum(self.counts.values()) + self.other


FeatureSums = NumericSums | CategoricalSums


@dataclass(frozen=True)
class ProfileSums:
    """Sums of ``rows`` rows against a profile; ``parts``: rows per part of its calendar."""

    rows: int
    features: Mapping[str, FeatureSums]
    score: FeatureSums | None
    label: FeatureSums | None
    parts: Mapping[str, int]

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.rows + other.rows,
            {name: _added(sums, other.features[name]) for name, sums in self.features.items()},
            _added(self.score, other.score),
            _added(self.label, other.label),
            {part: self.parts.get(part, 0) + other.parts.get(part, 0) for part in {**self.parts, **other.parts}},
        )

    def with_score(self, profile: FeatureProfile, scores: Any) -> Self:
        """The same with the sums of ``scores``, which may be those of other rows."""
        return replace(self, score=_column_sums(profile, scores))


def current_sums(
    rows: Rows, profile: Profile, scores: Any | None = None, *, labels: Any | None = None, times: Any | None = None
) -> ProfileSums:
    """The sums of a frame or an Arrow batch on the edges and dictionaries of ``profile``.

    ``scores`` (finite numbers, or classes as text), ``labels`` (numbers or text, NaN where unknown) and ``times``
    (``datetime64``): one value a row, used where the profile has them too. Raises DataError for a missing
    column or text in a numeric one, ModelError for bad scores.
    """
    _require(rows, tuple(profile.features))
    n = len(rows)
    return ProfileSums(
        rows=n,
        features={name: _feature_sums(rows, name, feature) for name, feature in profile.features.items()},
        score=_column_sums(
            profile.score, None if scores is None else accept_answers(scores, n, where="current scores")
        ),
        label=_column_sums(profile.label, labels),
        parts=_part_rows(profile, times),
    )


def no_sums(profile: Profile) -> ProfileSums:
    """The sums of no rows: what a fold over batches starts from."""
    return ProfileSums(
        rows=0,
        features={name: _empty_sums(feature) for name, feature in profile.features.items()},
        score=None if profile.score is None else _empty_sums(profile.score),
        label=None if profile.label is None else _empty_sums(profile.label),
        parts={},
    )


def numeric_sums(profile: NumericProfile, values: FloatArray) -> NumericSums:
    """Sums of ``values``, NaN for a null, shape (rows,), on the fine bins of ``profile``."""
    starts = range(0, values.size, STRETCH)
    return sum((_stretch_sums(profile, values[at : at + STRETCH]) for at in starts), _no_numbers(profile))


def _no_numbers(profile: NumericProfile) -> NumericSums:
    nothing = np.zeros(len(profile.edges) + 1, dtype=np.int64)
    return NumericSums(nothing, nothing, 0, REACH, -REACH, 0)


def _stretch_sums(profile: NumericProfile, values: FloatArray) -> NumericSums:
    with np.errstate(over="ignore"):
        place = (values - profile.center) * (1 / profile.scale)
    low, high = float(place.min()), float(place.max())
    nulls = 0
    if not low >= -REACH or not high <= REACH:
        # Something is NaN, or out of reach.
        missing = np.isnan(values)
        nulls = int(np.count_nonzero(missing))
        values, place = values[~missing], np.clip(place[~missing], -REACH, REACH)
        low, high = float(place.min(initial=REACH)), float(place.max(initial=-REACH))
    bins, width = binning(profile.edges)(values), len(profile.edges) + 1
    fixed = np.rint(np.multiply(place, UNITS, out=place), out=place)
    return NumericSums(
        counts=np.bincount(bins, minlength=width),
        # Below 2**31 each, so that floats add them up exactly.
        totals=np.bincount(bins, weights=fixed, minlength=width).astype(np.int64),
        squares=_squares(fixed, max(-low, high) * UNITS),
        low=low,
        high=high,
        nulls=nulls,
    )


def _squares(fixed: FloatArray, largest: float) -> int:
    """Sum of squares of whole numbers, exact: in floats while it is sure to stay below 2**53, else in integers."""
    if largest**2 * fixed.size < 2**52:
        return int(np.einsum("i,i->", fixed, fixed))
    whole = fixed.astype(np.int64)
    high, low = whole >> 16, whole & 0xFFFF
    return (int(high @ high) << 32) + (int(high @ low) << 17) + int(low @ low)


def _feature_sums(rows: Rows, name: str, feature: NumericProfile | CategoricalProfile) -> FeatureSums:
    if isinstance(feature, CategoricalProfile):
        return CategoricalSums.of(rows, name, frozenset(feature.counts))
    return numeric_sums(feature, numbers(rows, name))


def _empty_sums(feature: NumericProfile | CategoricalProfile) -> FeatureSums:
    if isinstance(feature, CategoricalProfile):
        return CategoricalSums({}, 0, 0, frozenset(feature.counts))
    return _no_numbers(feature)


@overload
def _column_sums(profile: FeatureProfile, values: NDArray[Any]) -> FeatureSums: ...
@overload
def _column_sums(profile: FeatureProfile | None, values: Any | None) -> FeatureSums | None: ...
def _column_sums(profile: FeatureProfile | None, values: Any | None) -> FeatureSums | None:
    if profile is None or values is None:
        return None
    return _feature_sums(pd.DataFrame({"": values}), "", profile)


def _part_rows(profile: Profile, times: Any | None) -> dict[str, int]:
    if profile.calendar is None or times is None:
        return {}
    counts = np.bincount(part_codes(times, profile.calendar))
    return {part_name(code, profile.calendar): int(count) for code, count in enumerate(counts) if count}


def _added(one: Any, other: Any) -> Any:
    return None if one is None or other is None else one + other


def _require(rows: Rows, names: tuple[str, ...]) -> None:
    there = set(column_names(rows))
    missing = [name for name in names if name not in there]
    if missing:
        raise DataError(
            f"missing column(s): {', '.join(missing)}.",
            where="current data",
            remedy="add them to the data, or take them out of the model spec.",
        )
