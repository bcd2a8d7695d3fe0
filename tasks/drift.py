"""Compare the evaluation data with the data the candidate learned from, feature by feature and by score."""

from gatewright.core.checks.drift import measure_drift
from gatewright.core.checks.profile import Profile
from gatewright.core.checks.profile_build import build_profile
from gatewright.core.frames import targets_of
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import Measurement, StageEvidence
from gatewright.wiring import Services, connect
from tasks.material import Material, evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["drift"]


@stage_task(name="drift")
def drift(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Drift of features, labels and the champion's scores; the reference profile is kept for `monitor`."""
    services = connect()
    return run_stage(services, "drift", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    m = evaluation_material(services, opening, data, candidate)
    reference = services.datasets(opening.model).load(data.training, m.spec.columns())
    # A model's scores on its own training rows are too extreme to compare live scores with; those on the
    # evaluation rows are not.
    monitoring = build_profile(
        reference, candidate.features, m.spec.categorical, m.rows.decided, labels=targets_of(reference, m.spec)
    )
    features = monitoring.model_copy(update={"score": None})
    confidence = m.policy.confidence
    return Findings(
        inputs={"data": data, "candidate": candidate},
        measurements=(
            *measure_drift(features, m.frame, labels=m.rows.truth, confidence=confidence),
            *_score_drift(services, opening, m, confidence=confidence),
        ),
        artifacts={"monitoring_profile": services.blobs.put(monitoring.to_bytes(), "application/json")},
    )


def _score_drift(services: Services, opening: Opening, m: Material, *, confidence: float) -> tuple[Measurement, ...]:
    """How far the champion's scores have moved since it was released; a first release has none to compare."""
    if opening.champion is None:
        return ()
    then = services.evidence.read("drift", opening.champion.release_id, StageEvidence)
    body = services.blobs.get(then.artifacts["monitoring_profile"])
    profile = Profile.from_bytes(body, where=f"profile of {opening.champion.release_id}")
    scores = profile.model_copy(update={"features": {}, "label": None})
    return measure_drift(scores, m.frame, m.rows.champion_decided, confidence=confidence)
