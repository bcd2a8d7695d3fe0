"""How well a model tells several classes apart, overall and class by class, and how it compares to the champion."""

from collections.abc import Sequence
from typing import Any

from gatewright.core.checks.class_labels import accept_class_labels, accept_classes
from gatewright.core.checks.inputs import accept_clusters
from gatewright.core.checks.multiclass_areas import binned_areas, exact_areas
from gatewright.core.checks.multiclass_metrics import (
    CLASS_METRICS,
    MULTICLASS_METRICS,
    Comparison,
    measure_areas,
    measure_comparison,
)
from gatewright.core.checks.multiclass_sums import (
    ClassModel,
    MulticlassSums,
    accept_model,
    model_sums,
    multiclass_sums,
)
from gatewright.core.checks.regression import row_blocks
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import EXACT_ROWS, IntArray
from gatewright.core.statistics.multiclass import paired_hits

__all__ = [
    "CLASS_METRICS",
    "MULTICLASS_METRICS",
    "MulticlassSums",
    "measure_multiclass",
    "measure_multiclass_sums",
    "multiclass_sums",
]


def measure_multiclass(
    labels: Any,
    predictions: Any = None,
    probabilities: Any = None,
    *,
    classes: Sequence[Any],
    confidence: float,
    champion_predictions: Any = None,
    champion_probabilities: Any = None,
    clusters: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """All ``MULTICLASS_METRICS``, ``CLASS_METRICS`` on each slice ``class=<name>``, and their ``_change``.

    ``labels`` and predictions: names (or other values with the same text) of ``classes``, shape (rows,);
    probabilities: shape (rows, classes), columns in the order of ``classes``; predictions left out are the most
    probable classes. Without probabilities their metrics have no value. Below ``EXACT_ROWS`` rows the areas
    under the curves are exact. ``n`` is the rate's denominator. Raises SpecError for wrong classes, DataError for
    wrong labels or clusters, ModelError for wrong predictions or probabilities.
    """
    names = accept_classes(classes)
    truth = accept_class_labels(labels, names)
    if truth.size >= EXACT_ROWS:
        sums = multiclass_sums(
            labels,
            predictions,
            probabilities,
            classes=names,
            champion_predictions=champion_predictions,
            champion_probabilities=champion_probabilities,
            clusters=clusters,
        )
        return measure_multiclass_sums(sums, confidence=confidence, seed=seed)
    models = [accept_model(predictions, probabilities, truth.size, names, where="candidate")]
    if champion_predictions is not None or champion_probabilities is not None:
        models.append(accept_model(champion_predictions, champion_probabilities, truth.size, names, where="champion"))
    sums = _few_rows(truth, models, names, clusters)
    ids = accept_clusters(clusters, truth.size)
    areas = exact_areas(truth, [model.probabilities for model in models], ids, confidence)
    return (*measure_comparison(Comparison(sums, confidence, seed)), *measure_areas(sums, areas))


def measure_multiclass_sums(sums: MulticlassSums, *, confidence: float, seed: int = 0) -> tuple[Measurement, ...]:
    """As `measure_multiclass`, from the sums of all batches; areas under curves from bins.

    Their error is below 1e-7 for 20,000 rows and falls with more, to 1e-9 for a million.
    """
    areas = binned_areas(sums, confidence, seed)
    return (*measure_comparison(Comparison(sums, confidence, seed)), *measure_areas(sums, areas))


def _few_rows(labels: IntArray, models: list[ClassModel], classes: tuple[str, ...], clusters: Any) -> MulticlassSums:
    content = [labels, *(model.predictions for model in models)]
    content += [column for model in models if model.probabilities is not None for column in model.probabilities.T]
    blocks = row_blocks(clusters, *content)
    sums = [model_sums(labels, model, blocks, len(classes), areas=False) for model in models]
    if not sums[1:]:
        return MulticlassSums(classes, clusters is not None, sums[0], None, None)
    pairs = paired_hits(labels, models[0].predictions, models[1].predictions, len(classes))
    return MulticlassSums(classes, clusters is not None, sums[0], sums[1], pairs)
