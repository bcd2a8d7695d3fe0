"""Audit the candidate by sensitive group and intersection, whether or not it sees the groups."""

from gatewright.core.checks.fairness import decided_sums, measure_fairness_sums
from gatewright.core.checks.groups import group_table
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
    sums = decided_sums(
        m.labels,
        m.scores,
        groups_of(m.frame, m.spec),
        threshold=m.spec.threshold,
        clusters=m.clusters,
        champion_scores=m.champion_scores,
    )
    confidence, support = m.policy.confidence, m.policy.minimum_support
    return Findings(
        inputs={"evaluation": data.evaluation, "candidate": candidate},
        measurements=measure_fairness_sums(sums, confidence=confidence, minimum_support=support),
        details={"groups": [*group_table(sums, confidence=confidence, minimum_support=support)]},
    )
