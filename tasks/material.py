"""What several check stages look at: the evaluation rows with labels, scores of candidate and champion."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gatewright.core.frames import clusters_of, labels_of
from gatewright.core.policy import Policy
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.spec import ModelSpec
from gatewright.wiring import Services

__all__ = ["Material", "evaluation_material"]


@dataclass(frozen=True)
class Material:
    """Arrays have one entry per evaluation row; ``champion_scores`` is None for a first release."""

    spec: ModelSpec
    policy: Policy
    frame: pd.DataFrame
    labels: np.ndarray
    clusters: np.ndarray | None
    scores: np.ndarray
    champion_scores: np.ndarray | None

    @property
    def independent_rows(self) -> int:
        """Clusters, or rows where there are none."""
        return len(self.labels) if self.clusters is None else len(np.unique(self.clusters))


def evaluation_material(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Material:
    """Load the evaluation rows and score both models on them (once per pair of digests)."""
    spec = services.releases.spec(opening)
    frame = services.datasets(opening.model).load(data.evaluation, spec.columns())
    champion = champion_of(services, opening)
    return Material(
        spec=spec,
        policy=services.releases.policy(opening),
        frame=frame,
        labels=labels_of(frame, spec),
        clusters=clusters_of(frame, spec),
        scores=services.scores.of(candidate, data.evaluation, frame, spec),
        champion_scores=services.scores.of(champion, data.evaluation, frame, spec) if champion else None,
    )


def champion_of(services: Services, opening: Opening) -> Candidate | None:
    """The candidate record of the model that serves."""
    if opening.champion is None:
        return None
    return services.evidence.read("candidate", opening.champion.release_id, Candidate)
