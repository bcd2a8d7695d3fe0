"""Audit the candidate by sensitive group and intersection, whether or not it sees the groups."""

from gatewright.core.checks.fairness import group_table, measure_fairness
from gatewright.core.frames import groups_of
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.wiring import Services, connect
from tasks.material import evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["fairness"]


@stage_task(name="fairness")
def fairness(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Gaps between groups with intervals, and the table of all groups with their support."""
    services = connect()
    return run_stage(services, "fairness", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    m = evaluation_material(services, opening, data, candidate)
    groups = groups_of(m.frame, m.spec)
    return Findings(
        inputs={"evaluation": data.evaluation, "candidate": candidate},
        measurements=measure_fairness(
            m.labels,
            m.scores,
            groups,
            threshold=m.spec.threshold,
            confidence=m.policy.confidence,
            minimum_support=m.policy.minimum_support,
            clusters=m.clusters,
            champion_scores=m.champion_scores,
        ),
        details={
            "groups": [
                *group_table(
                    m.labels,
                    m.scores,
                    groups,
                    threshold=m.spec.threshold,
                    confidence=m.policy.confidence,
                    minimum_support=m.policy.minimum_support,
                )
            ]
        },
    )
