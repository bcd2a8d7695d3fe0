"""Compare the evaluation data with the data the candidate learned from, feature by feature and by score."""

from gatewright.core.checks.drift import build_profile, measure_drift
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.wiring import Services, connect
from tasks.material import evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["drift"]


@stage_task(name="drift")
def drift(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Population stability index of each feature and of the score; the reference profile is kept for `monitor`."""
    services = connect()
    return run_stage(services, "drift", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    m = evaluation_material(services, opening, data, candidate)
    reference = services.datasets(opening.model).load(data.training, m.spec.columns())
    # Scores on a model's own training rows are too extreme to compare with. So the score's reference is
    # the champion's on the same rows (what promotion would change), and for `monitor` the candidate's own.
    before = build_profile(reference, candidate.features, m.spec.categorical, m.champion_scores)
    monitoring = build_profile(reference, candidate.features, m.spec.categorical, m.scores)
    scores = m.scores if m.champion_scores is not None else None
    return Findings(
        inputs={"data": data, "candidate": candidate},
        measurements=measure_drift(before, m.frame, scores, confidence=m.policy.confidence),
        artifacts={"monitoring_profile": services.blobs.put(monitoring.to_bytes(), "application/json")},
    )
