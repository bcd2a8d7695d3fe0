"""Compare like with like in the calendar: a July with last year's July, a weekend with weekends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatewright.core.checks.profile import Calendar, CategoricalProfile, FeatureProfile, NumericProfile, Profile
from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = ["UNKNOWN", "Window", "part_codes", "part_name", "reference_window"]

UNKNOWN = "unknown"
# A part of the reference with fewer rows is noise; then all of the reference is the better comparison.
MINIMUM_ROWS = 200
_DAYS = ("", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_MONTHS = ("", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


@dataclass(frozen=True)
class Window:
    """What current data are compared with: a ``profile``, and which part of the reference it is, in words."""

    profile: Profile
    words: str


def part_codes(times: Any, calendar: Calendar) -> IntArray:
    """Month 1 to 12, or day of the week 1 (Monday) to 7, of ``datetime64`` values; 0 where there is none."""
    days = np.asarray(times).astype("datetime64[D]")
    numbers = days.astype(np.int64)
    parts = days.astype("datetime64[M]").astype(np.int64) % 12 if calendar == "month" else (numbers + 3) % 7
    codes: IntArray = np.where(np.isnat(days), 0, parts + 1).astype(np.int64)
    return codes


def part_name(code: int, calendar: Calendar) -> str:
    """``July``, ``Mondays``, or ``unknown``."""
    return ((_MONTHS if calendar == "month" else _DAYS)[code]) or UNKNOWN


def reference_window(profile: Profile, parts: Mapping[str, int]) -> Window:
    """The parts of the reference's calendar that the current rows (``parts``: rows per part) fall into.

    Each part weighs as much as it does in the current data. All of the reference where it has no calendar, where
    the current data have no times, or where it has fewer than ``MINIMUM_ROWS`` rows of any part.
    """
    if profile.calendar is None:
        return Window(profile, "all of the reference")
    if not parts:
        return Window(profile, "all of the reference, since the current data have no times")
    few = [name for name in parts if name not in profile.parts or profile.parts[name].rows < MINIMUM_ROWS]
    if few:
        return Window(profile, f"all of the reference, which has too few rows of: {', '.join(sorted(few))}")
    order = [name for name in (*_MONTHS, *_DAYS) if name in parts]
    chosen = [profile.parts[name] for name in order]
    weights = np.array([parts[name] for name in order], dtype=np.float64)
    return Window(_mixture(profile, chosen, weights / weights.sum()), f"the reference's {', '.join(order)}")


def _mixture(profile: Profile, parts: Sequence[Profile], weights: FloatArray) -> Profile:
    """Direct standardisation: counts of as many rows as the weighted mean is worth (Kish's effective number)."""
    rows = np.array([part.rows for part in parts], dtype=np.float64)
    worth = float(1 / (weights**2 / rows).sum()) * weights / rows
    features = {name: _mixed([part.features[name] for part in parts], worth) for name in profile.features}
    return profile.model_copy(update={"rows": int(np.ceil(worth @ rows)), "features": features})


def _mixed(features: Sequence[FeatureProfile], worth: FloatArray) -> FeatureProfile:
    nulls = int(np.ceil(worth @ np.array([feature.nulls for feature in features])))
    numeric = [feature for feature in features if isinstance(feature, NumericProfile)]
    if numeric:
        return _mixed_numbers(numeric, worth, nulls)
    categorical = [feature for feature in features if isinstance(feature, CategoricalProfile)]
    names = sorted({name for feature in categorical for name in feature.counts})
    counts = {name: _worth([feature.counts.get(name, 0) for feature in categorical], worth) for name in names}
    other = _worth([feature.other for feature in categorical], worth)
    return CategoricalProfile(counts=counts, other=other, nulls=nulls)


def _mixed_numbers(features: Sequence[NumericProfile], worth: FloatArray, nulls: int) -> NumericProfile:
    counts = worth[:, None] * np.array([feature.counts for feature in features], dtype=np.float64)
    total = counts.sum(axis=0)
    means = (counts * np.array([feature.means for feature in features])).sum(axis=0) / np.maximum(total, 1e-300)
    share = counts.sum(axis=1) / max(float(total.sum()), 1e-300)
    mean = float(share @ np.array([feature.mean or 0.0 for feature in features]))
    square = share @ np.array([(feature.deviation or 0.0) ** 2 + (feature.mean or 0.0) ** 2 for feature in features])
    return features[0].model_copy(
        update={
            "counts": tuple(int(count) for count in np.ceil(total)),
            "means": tuple(means.tolist()),
            "nulls": nulls,
            "mean": mean if total.any() else None,
            "deviation": max(0.0, float(square) - mean**2) ** 0.5 if total.any() else None,
        }
    )


def _worth(counts: Sequence[int], worth: FloatArray) -> int:
    # Rounded up: a category that is there stays there.
    return int(np.ceil(worth @ np.array(counts)))
