"""What is measured of a model of which task: the one place that tells the tasks apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from gatewright.core.checks.answered import Answered
from gatewright.core.checks.class_curves import class_curves
from gatewright.core.checks.class_groups import class_fairness_sums
from gatewright.core.checks.evaluation import METRICS, evaluation_curves, measure_evaluation
from gatewright.core.checks.fairness import FAIRNESS_METRICS, decided_sums, group_table, measure_fairness_sums
from gatewright.core.checks.fairness_equivalence import Margin, equivalence_tests
from gatewright.core.checks.fairness_multiclass import MULTICLASS_FAIRNESS_METRICS, measure_multiclass_fairness
from gatewright.core.checks.fairness_regression import (
    REGRESSION_FAIRNESS_METRICS,
    measure_regression_fairness,
    regression_fairness_sums,
)
from gatewright.core.checks.group_means import class_group_rates, group_errors, with_intervals
from gatewright.core.checks.multiclass import MULTICLASS_METRICS, measure_multiclass
from gatewright.core.checks.number_curves import number_curves
from gatewright.core.checks.regression import REGRESSION_METRICS, measure_regression
from gatewright.core.checks.slices import Terms, measure_class_slices, measure_number_slices, measure_slices
from gatewright.core.checks.uncertain_answers import Answers, binary_answers, class_answers, number_answers
from gatewright.core.checks.uncertainty import (
    measure_class_uncertainty,
    measure_number_uncertainty,
    measure_uncertainty,
)
from gatewright.core.file_verdict import GroupRates
from gatewright.core.results import Measurement
from gatewright.core.spec import Task

__all__ = ["CHECKS", "Answered", "Details", "Measured", "TaskChecks"]

Measured = tuple[Measurement, ...]
Groups = Mapping[str, Any]
Details = dict[str, JsonValue]


@dataclass(frozen=True)
class TaskChecks:
    """How models of one task are measured.

    ``metrics`` and ``gaps``: names of what ``performance`` and ``fairness`` measure of the whole data and of each
    sensitive column. ``fairness`` also gives each group's figures, and for binary decisions tests of equivalence
    where ``Margin`` sets one; like ``curves`` plain JSON, for pages. Numbers are confidence and minimum support.
    All raise DataError and ModelError for rows and answers that cannot be measured.
    """

    metrics: tuple[str, ...]
    gaps: tuple[str, ...]
    performance: Callable[[Answered, float], Measured]
    curves: Callable[[Answered, float], Details]
    fairness: Callable[[Answered, Groups, float, int, Margin], tuple[Measured, Details]]
    uncertainty: Callable[[Answered, Groups, float, int], Measured]
    slices: Callable[[Answered, Groups, Terms], Measured]
    doubts: Callable[[Answered], Answers]


def _binary_performance(rows: Answered, confidence: float) -> Measured:
    return measure_evaluation(
        rows.truth,
        rows.answers,
        threshold=rows.at,
        confidence=confidence,
        champion_scores=rows.champion,
        **rows.sampling,
    )


def _binary_curves(rows: Answered, confidence: float) -> Details:
    return {
        "curves": evaluation_curves(
            rows.truth, rows.answers, threshold=rows.at, confidence=confidence, champion_scores=rows.champion
        )
    }


def _binary_fairness(
    rows: Answered, groups: Groups, confidence: float, support: int, margin: Margin
) -> tuple[Measured, Details]:
    sums = decided_sums(
        rows.truth,
        rows.answers,
        groups,
        threshold=rows.at,
        clusters=rows.clusters,
        champion_scores=rows.champion,
    )
    return measure_fairness_sums(sums, confidence=confidence, minimum_support=support), {
        "groups": [*group_table(sums, confidence=confidence, minimum_support=support)],
        "equivalence": [*equivalence_tests(sums, margin, minimum_support=support)],
    }


def _binary_uncertainty(rows: Answered, groups: Groups, confidence: float, support: int) -> Measured:
    return measure_uncertainty(
        rows.truth,
        rows.answers,
        groups,
        threshold=rows.at,
        confidence=confidence,
        minimum_support=support,
        champion_scores=rows.champion,
        **rows.sampling,
    )


def _binary_slices(rows: Answered, columns: Groups, terms: Terms) -> Measured:
    return measure_slices(
        rows.truth,
        rows.answers,
        columns,
        columns=terms.columns,
        depth=terms.depth,
        threshold=rows.at,
        confidence=terms.confidence,
        minimum_support=terms.minimum_support,
        clusters=rows.clusters,
        champion_scores=rows.champion,
        seed=terms.seed,
    )


def _number_performance(rows: Answered, confidence: float) -> Measured:
    return measure_regression(
        rows.truth, rows.answers, confidence=confidence, champion_predictions=rows.champion, **rows.sampling
    )


def _number_curves(rows: Answered, confidence: float) -> Details:
    return {"curves": number_curves(rows.truth, rows.answers, rows.champion, confidence=confidence)}


def _number_fairness(
    rows: Answered, groups: Groups, confidence: float, support: int, _: Margin
) -> tuple[Measured, Details]:
    gaps = measure_regression_fairness(
        rows.truth,
        rows.answers,
        groups,
        confidence=confidence,
        minimum_support=support,
        champion_predictions=rows.champion,
        **rows.sampling,
    )
    sums = regression_fairness_sums(rows.truth, rows.answers, groups, clusters=rows.clusters)
    return gaps, {"group_means": _listed(group_errors(sums, tuple(sums.slices)), support, confidence)}


def _number_uncertainty(rows: Answered, groups: Groups, confidence: float, support: int) -> Measured:
    return measure_number_uncertainty(
        rows.truth,
        rows.answers,
        groups,
        confidence=confidence,
        minimum_support=support,
        champion_predictions=rows.champion,
        **rows.sampling,
    )


def _number_slices(rows: Answered, columns: Groups, terms: Terms) -> Measured:
    return measure_number_slices(
        rows.truth, rows.answers, columns, terms, clusters=rows.clusters, champion_predictions=rows.champion
    )


def _class_performance(rows: Answered, confidence: float) -> Measured:
    return measure_multiclass(
        rows.truth,
        probabilities=rows.answers,
        classes=rows.classes,
        confidence=confidence,
        champion_probabilities=rows.champion,
        **rows.sampling,
    )


def _class_curves(rows: Answered, confidence: float) -> Details:
    curves = class_curves(rows.truth, rows.answers, rows.champion, classes=rows.classes, confidence=confidence)
    return {"curves": curves}


def _class_fairness(
    rows: Answered, groups: Groups, confidence: float, support: int, _: Margin
) -> tuple[Measured, Details]:
    gaps = measure_multiclass_fairness(
        rows.truth,
        rows.decided,
        groups,
        classes=rows.classes,
        confidence=confidence,
        minimum_support=support,
        champion_predictions=rows.champion_decided,
        **rows.sampling,
    )
    sums = class_fairness_sums(rows.truth, rows.decided, groups, classes=rows.classes, clusters=rows.clusters)
    return gaps, {"group_means": _listed(class_group_rates(sums, tuple(sums.slices)), support, confidence)}


def _class_uncertainty(rows: Answered, groups: Groups, confidence: float, support: int) -> Measured:
    return measure_class_uncertainty(
        rows.truth,
        rows.answers,
        groups,
        classes=rows.classes,
        confidence=confidence,
        minimum_support=support,
        champion_probabilities=rows.champion,
        **rows.sampling,
    )


def _class_slices(rows: Answered, columns: Groups, terms: Terms) -> Measured:
    return measure_class_slices(
        rows.truth,
        rows.answers,
        columns,
        terms,
        classes=rows.classes,
        clusters=rows.clusters,
        champion_probabilities=rows.champion,
    )


def _listed(rates: GroupRates, support: int, confidence: float) -> list[JsonValue]:
    """One row a group of each column and pair of columns; ``supported``: whether it has rows enough to be judged."""
    return [
        {
            "slice": column,
            "group": group,
            **with_intervals(found, confidence=confidence),
            "supported": (found["n"] or 0) >= support,
        }
        for column, groups in rates.items()
        for group, found in groups.items()
    ]


CHECKS: dict[Task, TaskChecks] = {
    "binary_classification": TaskChecks(
        metrics=METRICS,
        gaps=tuple(FAIRNESS_METRICS),
        performance=_binary_performance,
        curves=_binary_curves,
        fairness=_binary_fairness,
        uncertainty=_binary_uncertainty,
        slices=_binary_slices,
        doubts=lambda rows: binary_answers(rows.truth, rows.answers, threshold=rows.at, where="candidate scores"),
    ),
    "regression": TaskChecks(
        metrics=REGRESSION_METRICS,
        gaps=tuple(REGRESSION_FAIRNESS_METRICS),
        performance=_number_performance,
        curves=_number_curves,
        fairness=_number_fairness,
        uncertainty=_number_uncertainty,
        slices=_number_slices,
        doubts=lambda rows: number_answers(rows.truth, rows.answers, where="candidate predictions"),
    ),
    "multiclass_classification": TaskChecks(
        metrics=MULTICLASS_METRICS,
        gaps=tuple(MULTICLASS_FAIRNESS_METRICS),
        performance=_class_performance,
        curves=_class_curves,
        fairness=_class_fairness,
        uncertainty=_class_uncertainty,
        slices=_class_slices,
        doubts=lambda rows: class_answers(
            rows.truth, rows.answers, classes=rows.classes, where="candidate probabilities"
        ),
    ),
}
