"""Disturb the inputs, and measure what the model costs in time and memory."""

from gatewright.core.checks.latency import measure_latency
from gatewright.core.checks.robustness import measure_robustness, perturb
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import Measurement, StageEvidence
from gatewright.services.latency import sample_latency
from gatewright.wiring import Services, connect
from tasks.material import Material, evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["robustness"]


@stage_task(name="robustness")
def robustness(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """The model under each perturbation of the spec; latency, throughput, size and memory."""
    services = connect()
    return run_stage(services, "robustness", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    m = evaluation_material(services, opening, data, candidate)
    return Findings(
        inputs={"evaluation": data.evaluation, "candidate": candidate},
        measurements=(*_perturbed(services, candidate, m), *_resources(services, candidate, m)),
    )


def _perturbed(services: Services, candidate: Candidate, m: Material) -> tuple[Measurement, ...]:
    model = services.registry.load(candidate.artifact, trusted_types=m.spec.trusted_types)
    scores = {}
    for perturbation in m.spec.perturbations:
        frame = perturb(m.frame, perturbation, categorical=m.spec.categorical, seed=m.spec.seed)
        scores[perturbation.name] = services.registry.score(model, frame, candidate.features)
    return measure_robustness(
        m.labels,
        m.scores,
        scores,
        threshold=m.spec.threshold,
        confidence=m.policy.confidence,
        clusters=m.clusters,
    )


def _resources(services: Services, candidate: Candidate, m: Material) -> tuple[Measurement, ...]:
    samples = sample_latency(services.registry, candidate, m.frame, trusted_types=m.spec.trusted_types)
    return measure_latency(
        samples.single_ms,
        batch_rows=samples.batch_rows,
        batch_seconds=samples.batch_seconds,
        load_seconds=samples.load_seconds,
        model_bytes=candidate.artifact.size,
        peak_memory_bytes=samples.peak_memory_bytes,
        confidence=m.policy.confidence,
    )
