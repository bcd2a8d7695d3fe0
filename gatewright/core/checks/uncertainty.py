"""Does a model know what it does not know? Conformal coverage and set sizes, overall and by group, and abstention.

The rows are split in two by a hash of their cluster (of their place in canonical order without clusters): one half
calibrates, the other is tested. Everything comes from scores alone; nothing is fitted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import JsonValue

from gatewright.core.checks.group_codes import GroupCodes, group_codes
from gatewright.core.checks.inputs import accept_clusters
from gatewright.core.checks.uncertain_answers import Answers, binary_answers, class_answers, number_answers
from gatewright.core.checks.uncertain_choices import choices, measure_choices
from gatewright.core.checks.uncertain_sets import Halves, conformal_sets, measure_sets
from gatewright.core.checks.uncertain_widths import measure_widths
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import EXACT_ROWS, assign_blocks, canonical_order
from gatewright.core.statistics.conformal import (
    calibration_half,
    conformal_quantile,
    coverage_range,
    exchangeability_p_value,
)
from gatewright.core.statistics.selective import risk_coverage

__all__ = [
    "SELECTIVE_COVERAGES",
    "measure_class_uncertainty",
    "measure_number_uncertainty",
    "measure_uncertainty",
    "uncertainty_details",
]

SELECTIVE_COVERAGES = (0.5, 0.8, 0.9, 0.95)
CURVE_POINTS = 100


@dataclass(frozen=True)
class _Settings:
    alpha: float
    confidence: float
    minimum_support: int
    seed: int
    coverages: Sequence[float]


def measure_uncertainty(
    labels: Any,
    scores: Any,
    groups: Mapping[str, Any],
    *,
    threshold: float,
    confidence: float,
    minimum_support: int,
    alpha_conformal: float = 0.1,
    clusters: Any = None,
    champion_scores: Any = None,
    mondrian: str | None = None,
    coverages: Sequence[float] = SELECTIVE_COVERAGES,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """Uncertainty of a binary classifier; rows as `measure_evaluation`, ``groups`` as `measure_fairness`.

    On ``all`` test rows and on each group (slice ``<column>=<group>``): ``conformal_coverage``, the share of sets
    that hold the truth where 1 - ``alpha_conformal`` is promised, and ``conformal_set_size``, the mean number of
    classes in a set. By column: ``conformal_coverage_difference``, the largest coverage of a group minus the
    smallest. On all rows: ``selective_accuracy_at_<coverage>`` of the rows whose answer is most probable, and
    ``area_under_risk_coverage``, the mean error over all coverages. All but the difference have a ``_change`` to
    the champion. ``mondrian`` names a sensitive column whose groups are calibrated apart. Raises DataError and
    ModelError as `measure_evaluation`, ValueError for an alpha or a coverage outside (0, 1].
    """
    answers = binary_answers(labels, scores, threshold=threshold, where="candidate scores")
    other = None
    if champion_scores is not None:
        other = binary_answers(labels, champion_scores, threshold=threshold, where="champion scores")
    settings = _Settings(alpha_conformal, confidence, minimum_support, seed, coverages)
    return _measure(answers, other, groups, clusters, mondrian, settings)


def measure_class_uncertainty(
    labels: Any,
    probabilities: Any,
    groups: Mapping[str, Any],
    *,
    classes: Sequence[Any],
    confidence: float,
    minimum_support: int,
    alpha_conformal: float = 0.1,
    clusters: Any = None,
    champion_probabilities: Any = None,
    mondrian: str | None = None,
    coverages: Sequence[float] = SELECTIVE_COVERAGES,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """As `measure_uncertainty`, for several classes; rows as `measure_multiclass`, whose errors it raises too."""
    answers = class_answers(labels, probabilities, classes=classes, where="candidate probabilities")
    other = None
    if champion_probabilities is not None:
        other = class_answers(labels, champion_probabilities, classes=classes, where="champion probabilities")
    settings = _Settings(alpha_conformal, confidence, minimum_support, seed, coverages)
    return _measure(answers, other, groups, clusters, mondrian, settings)


def measure_number_uncertainty(
    targets: Any,
    predictions: Any,
    groups: Mapping[str, Any],
    *,
    confidence: float,
    minimum_support: int,
    alpha_conformal: float = 0.1,
    clusters: Any = None,
    champion_predictions: Any = None,
    mondrian: str | None = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """Uncertainty of a regression: coverage as `measure_uncertainty`, and ``conformal_width`` in the target's unit.

    The set is the interval of that width around the prediction. There is no abstention, for a predicted number has
    no certainty. Raises as `measure_regression`.
    """
    answers = number_answers(targets, predictions, where="candidate predictions")
    other = None
    if champion_predictions is not None:
        other = number_answers(targets, champion_predictions, where="champion predictions")
    settings = _Settings(alpha_conformal, confidence, minimum_support, seed, ())
    return _measure(answers, other, groups, clusters, mondrian, settings)


def uncertainty_details(
    answers: Answers,
    *,
    alpha_conformal: float = 0.1,
    confidence: float = 0.9,
    clusters: Any = None,
    seed: int = 0,
) -> dict[str, JsonValue]:
    """For charts, as plain JSON, of `binary_answers`, `class_answers` or `number_answers`.

    ``risk_coverage``: points with ``coverage``, ``risk`` and ``certainty`` (none for numbers). ``calibration_rows``,
    ``test_rows``, ``quantile`` (None where too few rows calibrate), ``promised`` coverage, ``covered`` test rows.
    ``expected_low`` and ``expected_high``: the coverage that this many calibration rows lead one to expect;
    ``exchangeability_p_value``: of the two halves alike (None with clusters, whose rows are not).
    """
    halves = _halves([answers], {}, clusters, None, seed)
    calibrated, tested = int(halves.calibrates.sum()), int((~halves.calibrates).sum())
    sets = conformal_sets(answers, halves, alpha_conformal)
    covered = int((sets.covered & ~halves.calibrates).sum())
    quantile = conformal_quantile(answers.nonconformity[halves.calibrates], alpha_conformal)
    low, high = coverage_range(calibrated, alpha_conformal, confidence=confidence)
    p_value = exchangeability_p_value(covered, tested, calibrated, alpha_conformal)
    points: list[dict[str, float]] = []
    if answers.certainty is not None and answers.wrong is not None:
        points = risk_coverage(answers.certainty, answers.wrong).points(CURVE_POINTS)
    return {
        "risk_coverage": [dict(point) for point in points],
        "calibration_rows": calibrated,
        "test_rows": tested,
        "quantile": quantile if np.isfinite(quantile) else None,
        "promised": 1 - alpha_conformal,
        "covered": covered,
        "expected_low": low,
        "expected_high": high,
        "exchangeability_p_value": None if halves.clustered else p_value,
    }


def _measure(
    ours: Answers,
    theirs: Answers | None,
    groups: Mapping[str, Any],
    clusters: Any,
    mondrian: str | None,
    settings: _Settings,
) -> tuple[Measurement, ...]:
    if not all(0 < share <= 1 for share in settings.coverages) or not 0 < settings.alpha < 1:
        raise ValueError(f"alpha {settings.alpha} or a coverage of {list(settings.coverages)} is not within (0, 1]")
    if mondrian is not None and mondrian not in groups:
        raise ValueError(f"`{mondrian}` is none of the groups {sorted(groups)}")
    models = [ours] if theirs is None else [ours, theirs]
    halves = _halves(models, groups, clusters, mondrian, settings.seed)
    return (*_measure_halves(ours, theirs, halves, settings), *_measure_abstention(ours, theirs, halves, settings))


def _halves(models: list[Answers], groups: Mapping[str, Any], clusters: Any, mondrian: str | None, seed: int) -> Halves:
    rows = models[0].nonconformity.size
    coded: dict[str, GroupCodes] = {
        name: group_codes(groups[name], rows, where=f"groups of `{name}`") for name in sorted(groups)
    }
    ids = accept_clusters(clusters, rows)
    units = np.arange(rows, dtype=np.int64)
    if ids is None and rows < EXACT_ROWS:
        content = [column for model in models for column in model.content]
        units[canonical_order(*content, *(column.codes for column in coded.values()))] = np.arange(rows)
    blocks = assign_blocks(rows, units if ids is None else ids)
    calibrates = calibration_half(units if ids is None else ids, seed)
    return Halves(calibrates, blocks, ids is not None, coded, mondrian)


def _measure_halves(
    ours: Answers, theirs: Answers | None, halves: Halves, settings: _Settings
) -> Iterator[Measurement]:
    yield from measure_sets(
        conformal_sets(ours, halves, settings.alpha),
        None if theirs is None else conformal_sets(theirs, halves, settings.alpha),
        halves,
        classes=0 if ours.outcomes is None else ours.outcomes.shape[1],
        confidence=settings.confidence,
        minimum_support=settings.minimum_support,
        seed=settings.seed,
    )
    if ours.outcomes is None:
        yield from measure_widths(
            ours.nonconformity,
            None if theirs is None else theirs.nonconformity,
            halves,
            alpha=settings.alpha,
            confidence=settings.confidence,
            seed=settings.seed,
        )


def _measure_abstention(
    ours: Answers, theirs: Answers | None, halves: Halves, settings: _Settings
) -> Iterator[Measurement]:
    models = [
        choices(model.certainty, model.wrong, halves.blocks, seed=settings.seed)
        for model in (ours, theirs)
        if model is not None and model.certainty is not None and model.wrong is not None
    ]
    if models:
        yield from measure_choices(
            models[0],
            models[1] if models[1:] else None,
            coverages=settings.coverages,
            confidence=settings.confidence,
            clustered=halves.clustered,
        )
