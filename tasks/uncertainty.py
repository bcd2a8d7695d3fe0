"""Does the candidate know what it does not know? Conformal coverage and what abstaining would gain."""

from gatewright.core.checks.uncertainty import uncertainty_details
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
    groups = groups_of(m.frame, m.spec)
    return Findings(
        inputs={"evaluation": data.evaluation, "candidate": candidate},
        measurements=m.checks.uncertainty(m.rows, groups, m.policy.confidence, m.policy.minimum_support),
        details=uncertainty_details(m.checks.doubts(m.rows), confidence=m.policy.confidence, **m.rows.sampling),
    )
