"""Measure the candidate, alone and against the champion on the same rows."""

from gatewright.core.checks.holdout import measure_holdout
from gatewright.core.checks.score_shift import measure_score_shift
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.services.holdout import HoldoutUse
from gatewright.wiring import Services, connect
from tasks.material import evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["evaluate"]


@stage_task(name="evaluate")
def evaluate(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Performance and calibration with intervals; changes to the champion are paired."""
    services = connect()
    return run_stage(services, "evaluate", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    # Counted before anybody looks: a run that dies on the way has used the data.
    uses = services.holdout.use(
        opening.model,
        data.evaluation,
        HoldoutUse(release_id=opening.release_id, policy_sha256=opening.policy.sha256),
    )
    m = evaluation_material(services, opening, data, candidate)
    return Findings(
        inputs={"evaluation": data.evaluation, "candidate": candidate},
        measurements=(
            *m.checks.performance(m.rows, m.policy.confidence),
            *measure_score_shift(m.rows, m.policy.confidence),
            *measure_holdout(uses, rows=m.independent_rows, budget=m.policy.holdout, alpha=m.policy.alpha),
        ),
        details=m.checks.curves(m.rows, m.policy.confidence),
    )
