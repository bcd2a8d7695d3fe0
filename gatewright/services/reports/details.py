"""Read the tables inside ``StageEvidence.details``. What is missing or of another shape gives nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from gatewright.core.release_view import ReleaseView

__all__ = ["CalibrationBin", "GroupRow", "Rate", "calibration", "calibration_bins", "group_means", "groups"]


@dataclass(frozen=True)
class Rate:
    """A share of rows with its confidence interval; ``supported`` when there are rows enough to judge it."""

    value: float
    low: float
    high: float
    supported: bool = True


@dataclass(frozen=True)
class GroupRow:
    """One group of one sensitive feature: ``n`` rows, ``positives`` of them with the label, rates by name."""

    slice: str
    group: str
    n: int
    positives: int
    rates: Mapping[str, Rate]


@dataclass(frozen=True)
class CalibrationBin:
    """Rows whose scores lie close together: their mean score against the share of positives observed."""

    mean_score: float
    observed: Rate
    n: int


def groups(view: ReleaseView) -> list[GroupRow]:
    """The group table of the fairness stage."""
    rows = _dicts(_detail(view, "fairness", "groups"))
    return [row for row in (_group(raw, view.policy.minimum_support) for raw in rows) if row is not None]


def group_means(view: ReleaseView) -> list[dict[str, JsonValue]]:
    """The groups of the fairness stage of a model of numbers or of several classes."""
    return _dicts(_detail(view, "fairness", "group_means"))


def calibration(view: ReleaseView) -> list[CalibrationBin]:
    """The candidate's calibration bins of the evaluate stage, from low scores to high."""
    curves = _detail(view, "evaluate", "curves")
    return calibration_bins(curves) if isinstance(curves, dict) else []


def calibration_bins(curves: Mapping[str, JsonValue]) -> list[CalibrationBin]:
    """The candidate's calibration bins in ``curves``, from low scores to high."""
    candidate = curves.get("candidate")
    raw = candidate.get("calibration") if isinstance(candidate, dict) else None
    bins = [b for b in (_bin(row) for row in _dicts(raw)) if b is not None]
    return sorted(bins, key=lambda b: b.mean_score)


def _group(raw: Mapping[str, JsonValue], minimum_support: int) -> GroupRow | None:
    n, positives = _number(raw.get("n")), _number(raw.get("positives"))
    if n is None or positives is None:
        return None
    denominators = {"selection_rate": n, "true_positive_rate": positives, "false_positive_rate": n - positives}
    found = {name: _rate(raw, name, support >= minimum_support) for name, support in denominators.items()}
    return GroupRow(
        slice=str(raw.get("slice", "")),
        group=str(raw.get("group", "")),
        n=int(n),
        positives=int(positives),
        rates={name: rate for name, rate in found.items() if rate is not None},
    )


def _bin(raw: Mapping[str, JsonValue]) -> CalibrationBin | None:
    score, n = _number(raw.get("mean_score")), _number(raw.get("n"))
    value, low, high = (_number(raw.get(key)) for key in ("observed_rate", "low", "high"))
    if score is None or value is None or low is None or high is None or not n:
        return None
    return CalibrationBin(score, Rate(value, low, high), int(n))


def _detail(view: ReleaseView, stage: str, key: str) -> JsonValue:
    evidence = view.stages.get(stage)
    return None if evidence is None else evidence.details.get(key)


def _dicts(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _rate(raw: Mapping[str, JsonValue], name: str, supported: bool) -> Rate | None:
    value, low, high = (_number(raw.get(key)) for key in (name, f"{name}_low", f"{name}_high"))
    if value is None or low is None or high is None:
        return None
    return Rate(value, low, high, supported)


def _number(value: JsonValue) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return float(value)
