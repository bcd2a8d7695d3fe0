"""Measure the candidate on every slice the spec names, and search for the worst ones."""

from gatewright.core.checks.slices import Terms
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
    columns, depth = m.spec.slices.columns, m.spec.slices.depth
    terms = Terms(columns, depth, m.policy.confidence, m.policy.minimum_support, m.spec.seed)
    return m.checks.slices(m.rows, {name: m.frame[name] for name in columns}, terms)
