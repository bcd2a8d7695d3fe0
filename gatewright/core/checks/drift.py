"""Do today's inputs, scores and labels still look like those the model was trained on?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.checks.profile import CategoricalProfile, FeatureProfile, NumericProfile, Profile
from gatewright.core.checks.profile_columns import Rows
from gatewright.core.checks.profile_sums import CategoricalSums, FeatureSums, NumericSums, ProfileSums, current_sums
from gatewright.core.checks.windows import reference_window
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.distances import (
    Counts,
    chi_square_p_value,
    cramers_v,
    distance_interval,
    expected_stability_index,
    jensen_shannon_distance,
    population_stability_index,
)
from gatewright.core.statistics.proportions import newcombe_difference, wilson
from gatewright.core.statistics.transport import Histogram, Transport, kolmogorov_smirnov, wasserstein

__all__ = ["measure_drift", "measure_drift_sums", "new_categories", "vanished_categories"]

LABEL, SCORE = "label", "score"
DISTANCES = ("psi", "jensen_shannon", "chi_square", "ks", "wasserstein")
NO_VALUES = "no values that are not null"
NO_LABELS = "no labels to compare"
TOO_MANY = "too many categories to compare one by one"
# A note names this many categories.
NAMED = 10


def measure_drift(
    profile: Profile,
    rows: Rows,
    scores: Any | None = None,
    *,
    labels: Any | None = None,
    times: Any | None = None,
    confidence: float,
) -> tuple[Measurement, ...]:
    """`measure_drift_sums` of a frame or an Arrow batch; ``scores``, ``labels``, ``times`` as in `current_sums`."""
    measurements = measure_drift_sums(
        profile, current_sums(rows, profile, scores, labels=labels, times=times), confidence=confidence
    )
    if profile.score is None and scores is not None:
        note = "scores are missing from the profile"
        return (*measurements, unmeasured("psi", len(rows), note, slice=SCORE))
    return measurements


def measure_drift_sums(profile: Profile, sums: ProfileSums, *, confidence: float) -> tuple[Measurement, ...]:
    """Distances, changes of null rates, new and vanished categories per feature; distances of scores and labels.

    The slice is the feature's name, ``score`` or ``label``. Nulls are left out of all distances and counted in
    ``null_rate_change``. Where the profile has a calendar, the notes say which part of it was compared.
    """
    window = reference_window(profile, sums.parts)
    found: list[Measurement] = []
    for name, feature in window.profile.features.items():
        found += _feature_drift(name, feature, sums.features[name], confidence)
    if profile.calendar is not None:
        found = [m.model_copy(update={"note": "; ".join(filter(None, (m.note, window.words)))}) for m in found]
    return (*found, *_score_drift(profile, sums, confidence), *_label_drift(profile, sums, confidence))


def new_categories(reference: CategoricalProfile, current: CategoricalSums) -> dict[str, int]:
    """Rows of each category that the reference never had, the most frequent first."""
    return _most({name: n for name, n in current.counts.items() if name not in reference.counts})


def vanished_categories(reference: CategoricalProfile, current: CategoricalSums) -> dict[str, int]:
    """Reference rows of each category that is there no more, the most frequent first."""
    return _most({name: n for name, n in reference.counts.items() if n and not current.counts.get(name)})


def _feature_drift(name: str, feature: FeatureProfile, sums: FeatureSums, confidence: float) -> list[Measurement]:
    if isinstance(feature, NumericProfile) and isinstance(sums, NumericSums):
        return [
            *_number_drift(name, feature, sums, confidence),
            _outside(name, feature, sums, confidence),
            _null_change(name, feature, sums, confidence),
        ]
    if isinstance(feature, CategoricalProfile) and isinstance(sums, CategoricalSums):
        return _category_drift(name, feature, sums, confidence)
    raise TypeError(f"sums of `{name}` do not fit its profile")


def _number_drift(name: str, profile: NumericProfile, sums: NumericSums, confidence: float) -> list[Measurement]:
    then, now = (profile.index_counts(np.asarray(c)) for c in (profile.counts, sums.counts))
    return [*_bin_drift(name, then, now, confidence), *_transport_drift(name, profile, sums, confidence)]


def _bin_drift(name: str, then: Counts, now: Counts, confidence: float) -> list[Measurement]:
    """Stability index, Jensen-Shannon distance and Cramer's V of two histograms."""
    n = int(now.sum())
    if not (n and then.sum()):
        return [unmeasured(metric, n, NO_VALUES, slice=name) for metric in ("psi", "jensen_shannon", "chi_square")]
    usual = f"about {expected_stability_index(then, now):.4f} without any drift"
    values = {
        "psi": float(population_stability_index(then, now)),
        "jensen_shannon": float(jensen_shannon_distance(then, now)),
        "chi_square": float(cramers_v(then, now)),
    }
    psi, shannon, cramer = (
        measured(metric, value, distance_interval(metric, then, now, confidence=confidence), n, slice=name)  # type: ignore[arg-type]
        for metric, value in values.items()
    )
    note = {"p_value": chi_square_p_value(then, now), "note": "Cramer's V; the p-value decides nothing"}
    return [psi.model_copy(update={"note": usual}), shannon, cramer.model_copy(update=note)]


def _transport_drift(name: str, profile: NumericProfile, sums: NumericSums, confidence: float) -> list[Measurement]:
    if not (sums.rows and profile.rows):
        return [unmeasured(metric, sums.rows, NO_VALUES, slice=name) for metric in ("ks", "wasserstein")]
    then, now = _reference_histogram(profile), _current_histogram(profile, sums)
    ks = kolmogorov_smirnov(then, now, confidence=confidence)
    return [
        _transported("ks", ks, 1.0, sums.rows, name),
        _wasserstein(name, then, now, confidence),
    ]


def _wasserstein(name: str, then: Histogram, now: Histogram, confidence: float) -> Measurement:
    rows = int(now.rows)
    if not then.deviation > 0:
        return unmeasured("wasserstein", rows, "the reference is constant and has no scale", slice=name)
    if not np.isfinite([*then.edges, then.low, then.high, now.low, now.high]).all():
        return unmeasured("wasserstein", rows, "the values lie further apart than floats reach", slice=name)
    return _transported("wasserstein", wasserstein(then, now, confidence=confidence), then.deviation, rows, name)


def _transported(metric: str, found: Transport, unit: float, n: int, name: str) -> Measurement:
    interval = found.interval.model_copy(update={"low": found.interval.low / unit, "high": found.interval.high / unit})
    note = f"of these rows themselves between {found.value / unit:.4g} and {found.bound / unit:.4g}"
    result = measured(metric, found.value / unit, interval, n, slice=name, note=note)
    return result.model_copy(update={"p_value": found.p_value})


def _reference_histogram(profile: NumericProfile) -> Histogram:
    low, high, deviation = profile.low or 0.0, profile.high or 0.0, profile.deviation or 0.0
    with np.errstate(over="ignore"):
        ends = (np.array([low, high]) - profile.center) / profile.scale
    counts, means = np.array(profile.counts, dtype=np.float64), np.array(profile.means)
    return _histogram(profile, counts, means, (float(ends[0]), float(ends[1])), deviation / profile.scale)


def _current_histogram(profile: NumericProfile, sums: NumericSums) -> Histogram:
    return _histogram(profile, sums.counts.astype(np.float64), sums.means(), (sums.low, sums.high), sums.moments()[1])


def _histogram(
    profile: NumericProfile, counts: FloatArray, means: FloatArray, ends: tuple[float, float], deviation: float
) -> Histogram:
    edges = np.array(profile.edges)
    points = np.concatenate([[False], edges[1:] == np.nextafter(edges[:-1], np.inf), [False]])
    with np.errstate(over="ignore"):
        borders = (edges - profile.center) / profile.scale
    return Histogram(borders, points[: counts.size], counts, means, *ends, deviation)


def _outside(name: str, profile: NumericProfile, sums: NumericSums, confidence: float) -> Measurement:
    """The share of rows below the smallest or above the largest value of the reference."""
    if not sums.rows or profile.high is None:
        return unmeasured("out_of_range", sums.rows, NO_VALUES, slice=name)
    # A side where the reference has infinities has no end; the largest float there is has no bin above it.
    below = 0 if profile.counts[0] else sums.counts[0]
    above = 0 if profile.counts[-1] or profile.edges[-1] <= profile.high else sums.counts[-1]
    outside = int(below + above)
    interval = wilson(outside, sums.rows, confidence=confidence)
    return measured("out_of_range", outside / sums.rows, interval, sums.rows, slice=name)


def _category_drift(
    name: str, reference: CategoricalProfile, current: CategoricalSums, confidence: float
) -> list[Measurement]:
    change = _null_change(name, reference, current, confidence)
    if reference.other:
        metrics = ("psi", "jensen_shannon", "chi_square", "new_categories", "vanished_categories")
        return [*(unmeasured(metric, current.rows, TOO_MANY, slice=name) for metric in metrics), change]
    union = sorted(reference.counts.keys() | current.counts.keys())
    then = np.array([*(reference.counts.get(one, 0) for one in union), 0])
    now = np.array([*(current.counts.get(one, 0) for one in union), current.other])
    return [
        *_bin_drift(name, then, now, confidence),
        _new(name, reference, current, confidence),
        _vanished(name, reference, current, confidence),
        change,
    ]


def _new(name: str, reference: CategoricalProfile, current: CategoricalSums, confidence: float) -> Measurement:
    """The share of rows, nulls among them, whose category the reference never had."""
    rows = current.rows + current.nulls
    if not rows:
        return unmeasured("new_categories", rows, "no rows", slice=name)
    new = new_categories(reference, current)
    count = sum(new.values()) + current.other
    note = f"new: {', '.join(sorted(new)[:NAMED])}" if new else "new: too many to list" if count else ""
    interval = wilson(count, rows, confidence=confidence)
    return measured("new_categories", count / rows, interval, rows, slice=name, note=note)


def _vanished(name: str, reference: CategoricalProfile, current: CategoricalSums, confidence: float) -> Measurement:
    """The share of reference rows whose category is there no more."""
    if not (current.rows and reference.rows):
        return unmeasured("vanished_categories", current.rows, NO_VALUES, slice=name)
    gone = vanished_categories(reference, current)
    share = sum(gone.values()) / reference.rows
    # Never below nothing: that the categories are gone is what they were chosen for.
    found = newcombe_difference((sum(gone.values()), reference.rows), (0, current.rows), confidence=confidence)
    interval = found.model_copy(update={"low": max(0.0, found.low)})
    note = f"vanished: {', '.join(sorted(gone)[:NAMED])}" if gone else ""
    return measured("vanished_categories", share, interval, current.rows, slice=name, note=note)


def _null_change(name: str, reference: FeatureProfile, current: FeatureSums, confidence: float) -> Measurement:
    """Share of nulls now minus then."""
    before, after = (reference.nulls, reference.rows + reference.nulls), (current.nulls, current.rows + current.nulls)
    if not (before[1] and after[1]):
        return unmeasured("null_rate_change", after[1], "no rows", slice=name)
    value = after[0] / after[1] - before[0] / before[1]
    interval = newcombe_difference(after, before, confidence=confidence)
    return measured("null_rate_change", value, interval, after[1], slice=name)


def _score_drift(profile: Profile, sums: ProfileSums, confidence: float) -> list[Measurement]:
    if profile.score is None:
        return []
    if sums.score is None:
        return [unmeasured("psi", sums.rows, "scores are missing from the current data", slice=SCORE)]
    wanted = DISTANCES[:3] if isinstance(profile.score, CategoricalProfile) else DISTANCES
    return [m for m in _feature_drift(SCORE, profile.score, sums.score, confidence) if m.metric in wanted]


def _label_drift(profile: Profile, sums: ProfileSums, confidence: float) -> list[Measurement]:
    """The change of the share of ones for labels 0 and 1, else the distances of numbers or of classes."""
    if profile.label is None:
        return []
    if _is_binary(profile.label) and isinstance(profile.label, NumericProfile):
        return [_prevalence_change(profile.label, sums.label, confidence)]
    wanted = ("ks", "wasserstein") if isinstance(profile.label, NumericProfile) else ("jensen_shannon", "chi_square")
    if sums.label is None:
        return [unmeasured(metric, sums.rows, NO_LABELS, slice=LABEL) for metric in wanted]
    return [m for m in _feature_drift(LABEL, profile.label, sums.label, confidence) if m.metric in wanted]


def _is_binary(label: FeatureProfile) -> bool:
    return isinstance(label, NumericProfile) and {label.low, label.high} <= {0.0, 1.0}


def _prevalence_change(profile: NumericProfile, sums: FeatureSums | None, confidence: float) -> Measurement:
    if not (isinstance(sums, NumericSums) and sums.rows and profile.rows):
        return unmeasured("prevalence_change", 0 if sums is None else sums.rows, NO_LABELS, slice=LABEL)
    one = int(np.searchsorted(np.array(profile.edges), 1.0, side="right"))
    before = (sum(profile.counts[one:]), profile.rows)
    after = (int(sums.counts[one:].sum()), sums.rows)
    interval = newcombe_difference(after, before, confidence=confidence)
    value = after[0] / after[1] - before[0] / before[1]
    return measured("prevalence_change", value, interval, sums.rows, slice=LABEL)


def _most(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
