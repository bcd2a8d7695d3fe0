"""Measure the candidate on every slice the spec names, and search for the worst ones."""

from gatewright.core.checks.binary_only import unmeasured_slices
from gatewright.core.checks.slices import measure_slices
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import Measurement, StageEvidence
from gatewright.wiring import Services, connect
from tasks.material import Material, evaluation_material
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["slices"]


@stage_task(name="slices")
def slices(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Metrics by slice; the worst slices are searched on one half of the rows and tested on the other."""
    services = connect()
    return run_stage(services, "slices", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    m = evaluation_material(services, opening, data, candidate)
    return Findings(inputs={"evaluation": data.evaluation, "candidate": candidate}, measurements=_measured(m))


def _measured(m: Material) -> tuple[Measurement, ...]:
    if m.spec.slices is None:
        return ()
    if not m.is_binary:
        return unmeasured_slices(m.spec, len(m.frame))
    return measure_slices(
        m.rows.truth,
        m.rows.answers,
        {name: m.frame[name] for name in m.spec.slices.columns},
        columns=m.spec.slices.columns,
        depth=m.spec.slices.depth,
        threshold=m.rows.at,
        confidence=m.policy.confidence,
        minimum_support=m.policy.minimum_support,
        clusters=m.rows.clusters,
        champion_scores=m.rows.champion,
        seed=m.spec.seed,
    )
