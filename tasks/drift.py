"""Compare the evaluation data with the data the candidate learned from, feature by feature and by score."""

from gatewright.core.checks.drift import Profile, build_profile, measure_drift
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import Measurement, StageEvidence
from gatewright.wiring import Services, connect
from tasks.material import Material, evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["drift"]


@stage_task(name="drift")
def drift(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Population stability index of features and champion's scores; the reference profile is kept for `monitor`."""
    services = connect()
    return run_stage(services, "drift", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    m = evaluation_material(services, opening, data, candidate)
    reference = services.datasets(opening.model).load(data.training, m.spec.columns())
    features = build_profile(reference, candidate.features, m.spec.categorical)
    # A model's scores on its own training rows are too extreme to compare live scores with; those on the
    # evaluation rows are not.
    monitoring = build_profile(reference, candidate.features, m.spec.categorical, m.scores)
    confidence = m.policy.confidence
    return Findings(
        inputs={"data": data, "candidate": candidate},
        measurements=(
            *measure_drift(features, m.frame, confidence=confidence),
            *_score_drift(services, opening, m, confidence=confidence),
        ),
        artifacts={"monitoring_profile": services.blobs.put(monitoring.to_bytes(), "application/json")},
    )


def _score_drift(services: Services, opening: Opening, m: Material, *, confidence: float) -> tuple[Measurement, ...]:
    """How far the champion's scores have moved since it was released; a first release has none to compare."""
    if opening.champion is None or m.champion_scores is None:
        return ()
    then = services.evidence.read("drift", opening.champion.release_id, StageEvidence)
    body = services.blobs.get(then.artifacts["monitoring_profile"])
    profile = Profile.from_bytes(body, where=f"profile of {opening.champion.release_id}")
    return measure_drift(profile.model_copy(update={"features": {}}), m.frame, m.champion_scores, confidence=confidence)
