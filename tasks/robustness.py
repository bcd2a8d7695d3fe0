"""Disturb the inputs, search for weak spots, and measure what the model costs in time and memory."""

from pydantic import JsonValue

from gatewright.core.checks.binary_only import unmeasured_robustness
from gatewright.core.checks.by_task import Details, Measured
from gatewright.core.checks.invariance import measure_invariance
from gatewright.core.checks.latency import latency_histogram, measure_latency
from gatewright.core.checks.monotonicity import measure_monotonicity
from gatewright.core.checks.probes import Probe, Scorer
from gatewright.core.checks.robustness import measure_perturbations
from gatewright.core.checks.worst_case import measure_worst_case
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import Measurement, StageEvidence
from gatewright.services.latency import sample_latency
from gatewright.wiring import Services, connect
from tasks.material import Material, champion_of, evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["robustness"]


@stage_task(name="robustness")
def robustness(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """The model under each perturbation and rule of the spec; latency, throughput, size and memory."""
    services = connect()
    return run_stage(services, "robustness", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    m = evaluation_material(services, opening, data, candidate)
    asked, details = _asked(services, candidate, m)
    resources, latency = _resources(services, candidate, champion_of(services, opening), m)
    return Findings(
        inputs={"evaluation": data.evaluation, "candidate": candidate},
        measurements=(*asked, *resources),
        details=details | latency,
    )


def _asked(services: Services, candidate: Candidate, m: Material) -> tuple[Measured, Details]:
    """What the model says of changed rows."""
    if not m.is_binary:
        return unmeasured_robustness(m.spec, len(m.frame)), {}
    probe = _probe(services, candidate, m)
    perturbed, curves = measure_perturbations(probe, m.rows.truth, m.spec.perturbations)
    measurements = (
        *perturbed,
        *measure_monotonicity(probe, m.spec.monotonicity),
        *measure_invariance(probe, m.spec.invariances),
        *measure_worst_case(probe),
        *_attacked(probe, m),
    )
    inference: dict[str, JsonValue] = {"calls": probe.score.calls, "rows": probe.score.rows}
    return measurements, {"degradation": curves, "inference": inference}


def _attacked(probe: Probe, m: Material) -> tuple[Measurement, ...]:
    if m.spec.adversarial is None:
        return ()
    from gatewright.services.adversarial import attack

    return (attack(probe, **m.spec.adversarial.model_dump()),)


def _probe(services: Services, candidate: Candidate, m: Material) -> Probe:
    model = services.registry.load(candidate.artifact, trusted_types=m.spec.trusted_types)
    return Probe(
        frame=m.frame,
        scores=m.rows.answers,
        score=Scorer(lambda frame: services.registry.score(model, frame, candidate.features)),
        features=candidate.features,
        categorical=m.spec.categorical,
        threshold=m.rows.at,
        confidence=m.policy.confidence,
        clusters=m.rows.clusters,
        seed=m.rows.seed,
    )


def _resources(
    services: Services, candidate: Candidate, champion: Candidate | None, m: Material
) -> tuple[Measured, Details]:
    samples = sample_latency(
        services.registry,
        candidate,
        m.frame,
        trusted_types=m.spec.trusted_types,
        confidence=m.policy.confidence,
        task=m.spec.task,
        champion=champion,
    )
    measurements = measure_latency(
        samples.candidate,
        champion=samples.champion,
        batch_rows=samples.batch_rows,
        model_bytes=candidate.artifact.size,
        peak_memory_bytes=samples.peak_memory_bytes,
        confidence=m.policy.confidence,
    )
    timings = {"candidate": samples.candidate, "champion": samples.champion}
    drawn: dict[str, JsonValue] = {
        model: None if timing is None else latency_histogram(timing) for model, timing in timings.items()
    }
    return measurements, {"latency": drawn}
