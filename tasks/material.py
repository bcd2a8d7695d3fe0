"""What several check stages look at: the evaluation rows with the truth, and the answers of candidate and champion."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gatewright.core.checks.by_task import CHECKS, Answered, TaskChecks
from gatewright.core.checks.class_labels import aligned
from gatewright.core.frames import clusters_of, targets_of
from gatewright.core.policy import Policy
from gatewright.core.refs import Candidate, DatasetRef
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.spec import ModelSpec
from gatewright.wiring import Services

__all__ = ["Material", "champion_of", "evaluation_material"]


@dataclass(frozen=True)
class Material:
    """``rows`` has one entry per row of ``frame``, the evaluation data; no champion's for a first release."""

    spec: ModelSpec
    policy: Policy
    frame: pd.DataFrame
    rows: Answered

    @property
    def checks(self) -> TaskChecks:
        """How a model of this task is measured."""
        return CHECKS[self.spec.task]

    @property
    def is_binary(self) -> bool:
        return self.spec.task == "binary_classification"

    @property
    def independent_rows(self) -> int:
        """Clusters, or rows where there are none."""
        return len(self.frame) if self.rows.clusters is None else len(np.unique(self.rows.clusters))


def evaluation_material(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Material:
    """Load the evaluation rows and let both models answer them (once per pair of digests)."""
    spec = services.releases.spec(opening)
    frame = services.datasets(opening.model).load(data.evaluation, spec.columns())
    models = [candidate, *filter(None, [champion_of(services, opening)])]
    truth = targets_of(frame, spec)
    answers = [services.scores.of(model, data.evaluation, frame, spec) for model in models]
    classes: tuple[str, ...] = ()
    if spec.task == "multiclass_classification":
        classes, answers = _on_one_set_of_classes(services, models, data.evaluation, truth, answers)
    return Material(
        spec=spec,
        policy=services.releases.policy(opening),
        frame=frame,
        rows=Answered(
            task=spec.task,
            truth=truth,
            answers=answers[0],
            champion=answers[1] if answers[1:] else None,
            classes=classes,
            threshold=spec.decision_threshold,
            clusters=clusters_of(frame, spec),
            seed=spec.seed,
        ),
    )


def _on_one_set_of_classes(
    services: Services, models: list[Candidate], dataset: DatasetRef, truth: np.ndarray, answers: list[np.ndarray]
) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """All classes that either model knows or that came true, and the probabilities of these."""
    known = [services.scores.classes_of(model, dataset) for model in models]
    classes = tuple(sorted({str(label) for label in np.unique(truth)}.union(*known)))
    return classes, [aligned(one, own, classes) for one, own in zip(answers, known, strict=True)]


def champion_of(services: Services, opening: Opening) -> Candidate | None:
    """The candidate record of the model that serves."""
    if opening.champion is None:
        return None
    return services.evidence.read("candidate", opening.champion.release_id, Candidate)
