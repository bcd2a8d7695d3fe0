"""Say of each column whether it drifted: limits on effect sizes, decided on their intervals, and never a p-value."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from gatewright.core.checks.drift import new_categories, vanished_categories
from gatewright.core.checks.profile import CategoricalProfile, FeatureProfile, NumericProfile, Profile
from gatewright.core.checks.profile_sums import CategoricalSums, FeatureSums, NumericSums, ProfileSums
from gatewright.core.errors import SpecError
from gatewright.core.judging import Finding, Limits, verdict
from gatewright.core.results import Measurement, Status
from gatewright.core.statistics.distances import expected_stability_index

__all__ = ["ColumnDrift", "DriftLimits", "FileDrift", "judge_columns", "not_comparable", "worst"]

_WORST_FIRST = (Status.ERROR, Status.FAILED, Status.INCONCLUSIVE, Status.PASSED)


@dataclass(frozen=True)
class DriftLimits:
    """The largest value of each metric that passes, None for those that are only shown; fewer rows cannot tell.

    0.25 is the stability index' own convention for a major shift (Siddiqi 2006). The others bound shares of rows:
    the change of the null rate either way, rows of categories, and rows beyond the range, the reference never had.
    """

    psi: float | None = 0.25
    null_rate_change: float | None = 0.1
    new_categories: float | None = 0.05
    out_of_range: float | None = 0.05
    ks: float | None = None
    jensen_shannon: float | None = None
    wasserstein: float | None = None
    chi_square: float | None = None
    vanished_categories: float | None = None
    minimum_rows: int = 100

    def __post_init__(self) -> None:
        """Raises SpecError for a limit that nothing could be compared with, or that nothing could keep."""
        for name, limit in vars(self).items():
            if limit is not None and not 0 <= limit < math.inf:
                problem = f"a limit of {limit} for {name.replace('_', ' ')} can neither be kept nor broken."
                raise SpecError(problem, where="limits of drift", remedy="give a number of 0 or more.")

    def of(self, metric: str) -> Limits | None:
        """The allowed range of a metric."""
        known = {field.name for field in fields(self)} - {"minimum_rows"}
        limit = getattr(self, metric) if metric in known else None
        if limit is None:
            return None
        return Limits(-limit if metric == "null_rate_change" else None, limit)


@dataclass(frozen=True)
class ColumnDrift:
    """The verdict on one column. ``new`` and ``vanished``: category -> share of its side's rows.

    ``null_rates``: reference and current; ``usual_index``: the stability index without any drift. All but name,
    status and reason are empty where the column could not be compared.
    """

    name: str
    kind: str | None
    status: Status
    reason: str
    measurements: Mapping[str, Measurement]
    new: Mapping[str, float]
    vanished: Mapping[str, float]
    null_rates: tuple[float | None, float | None] = (None, None)
    usual_index: float | None = None


@dataclass(frozen=True)
class FileDrift:
    """A finished comparison, the worst ``columns`` first; ``window`` says what part of the reference ``profile`` is."""

    window: str
    profile: Profile
    sums: ProfileSums
    limits: DriftLimits
    confidence: float
    columns: tuple[ColumnDrift, ...]

    @property
    def status(self) -> Status:
        """The worst of the columns'."""
        return worst([column.status for column in self.columns])


def judge_columns(
    profile: Profile, sums: ProfileSums, measurements: Sequence[Measurement], limits: DriftLimits
) -> tuple[ColumnDrift, ...]:
    """One verdict a feature of ``profile``; ``measurements`` are those of `measure_drift_sums`."""
    return tuple(
        _judge(name, feature, sums.features[name], [m for m in measurements if m.slice == name], limits)
        for name, feature in profile.features.items()
    )


def not_comparable(name: str, reason: str) -> ColumnDrift:
    """The verdict on a column that is missing on one side, or holds something else there."""
    return ColumnDrift(name, None, Status.ERROR, reason, {}, {}, {})


def worst(statuses: Sequence[Status]) -> Status:
    """The first of error, failed, inconclusive and passed that is among them; an error when there is none."""
    return next((status for status in _WORST_FIRST if status in statuses), Status.ERROR)


def _judge(
    name: str, feature: FeatureProfile, sums: FeatureSums, found: Sequence[Measurement], limits: DriftLimits
) -> ColumnDrift:
    usual = _usual_index(feature, sums)
    status, reason = _verdict(feature, sums, found, limits, usual)
    new, vanished = _category_changes(feature, sums)
    return ColumnDrift(
        name,
        _kind(feature),
        status,
        reason,
        {m.metric: m for m in found},
        new,
        vanished,
        (_share(feature.nulls, feature.rows), _share(sums.nulls, sums.rows)),
        usual,
    )


def _verdict(
    feature: FeatureProfile, sums: FeatureSums, found: Sequence[Measurement], limits: DriftLimits, usual: float | None
) -> Finding:
    rows = min(feature.rows + feature.nulls, sums.rows + sums.nulls)
    if rows < limits.minimum_rows:
        return Status.INCONCLUSIVE, f"{rows} rows are too few to tell; {limits.minimum_rows} are asked for"
    pairs = [(m, limits.of(m.metric)) for m in found]
    judged = [(m.metric, _finding(m, limit, usual)) for m, limit in pairs if limit is not None]
    if not judged:
        return Status.ERROR, "no limit speaks of this column"
    status = worst([finding[0] for _, finding in judged])
    return status, "; ".join(f"{metric}: {reason}" for metric, (one, reason) in judged if one is status)


def _finding(m: Measurement, limits: Limits, usual: float | None) -> Finding:
    if m.metric != "psi" or m.value is None or m.interval is None or usual is None:
        return verdict(limits, m.value, m.interval, decide_on="interval", note=m.note)
    # What few rows add to the index without any drift decides nothing, on either side.
    value = max(0.0, m.value - usual)
    low, high = min(m.interval.low, value), max(value, m.interval.high - 2 * usual)
    status, reason = verdict(
        limits, value, m.interval.model_copy(update={"low": low, "high": high}), decide_on="interval"
    )
    return status, f"{reason} (after {usual:.2g} that is usual without any drift)"


def _usual_index(feature: FeatureProfile, sums: FeatureSums) -> float | None:
    if not (feature.rows and sums.rows):
        return None
    if isinstance(feature, NumericProfile) and isinstance(sums, NumericSums):
        then, now = (feature.index_counts(np.asarray(c)) for c in (feature.counts, sums.counts))
        return expected_stability_index(then, now)
    if isinstance(feature, CategoricalProfile) and isinstance(sums, CategoricalSums):
        bins = len({name for name, n in (*feature.counts.items(), *sums.counts.items()) if n}) + bool(sums.other)
        return max(0, bins - 1) * (1 / feature.rows + 1 / sums.rows)
    raise TypeError("sums do not fit their profile")


def _category_changes(feature: FeatureProfile, sums: FeatureSums) -> tuple[dict[str, float], dict[str, float]]:
    if not (isinstance(feature, CategoricalProfile) and isinstance(sums, CategoricalSums)) or feature.other:
        return {}, {}
    now, then = sums.rows + sums.nulls, feature.rows + feature.nulls
    new = {name: n / now for name, n in new_categories(feature, sums).items()}
    vanished = vanished_categories(feature, sums) if sums.rows else {}
    return new, {name: n / then for name, n in vanished.items()}


def _kind(feature: FeatureProfile) -> str:
    if isinstance(feature, CategoricalProfile):
        return "categorical"
    return "numeric" if feature.unit == "number" else feature.unit


def _share(nulls: int, others: int) -> float | None:
    return nulls / (nulls + others) if nulls + others else None
