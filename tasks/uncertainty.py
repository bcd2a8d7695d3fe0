"""Does the candidate know what it does not know? Conformal coverage and what abstaining would gain."""

from typing import Any

from gatewright.core.checks.uncertain_answers import binary_answers
from gatewright.core.checks.uncertainty import measure_uncertainty, uncertainty_details
from gatewright.core.frames import groups_of
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.wiring import Services, connect
from tasks.material import evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["uncertainty"]


@stage_task(name="uncertainty")
def uncertainty(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Coverage and size of conformal sets, overall and by sensitive group; accuracy at given abstention."""
    services = connect()
    return run_stage(services, "uncertainty", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    m = evaluation_material(services, opening, data, candidate)
    given: dict[str, Any] = {"clusters": m.clusters, "seed": m.spec.seed, "confidence": m.policy.confidence}
    return Findings(
        inputs={"evaluation": data.evaluation, "candidate": candidate},
        measurements=measure_uncertainty(
            m.labels,
            m.scores,
            groups_of(m.frame, m.spec),
            threshold=m.spec.threshold,
            minimum_support=m.policy.minimum_support,
            champion_scores=m.champion_scores,
            **given,
        ),
        details=uncertainty_details(
            binary_answers(m.labels, m.scores, threshold=m.spec.threshold, where="candidate scores"), **given
        ),
    )
