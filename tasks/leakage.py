"""Look for inputs that know the answer, identify the row, or come from its future."""

from gatewright.core.checks.leakage import measure_leakage
from gatewright.core.frames import clusters_of, targets_of
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.wiring import Services, connect
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["leakage"]


@stage_task(name="leakage")
def leakage(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Each feature alone and by its name, rows and entities shared with training, time travel."""
    services = connect()
    return run_stage(services, "leakage", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    spec = services.releases.spec(opening)
    datasets = services.datasets(opening.model)
    training = datasets.load(data.training, spec.columns())
    evaluation = datasets.load(data.evaluation, spec.columns())
    return Findings(
        inputs={"data": data, "candidate": candidate},
        measurements=measure_leakage(
            training,
            targets_of(training, spec),
            candidate.features,
            target=spec.target,
            task=spec.task,
            frame_evaluation=evaluation,
            not_features=spec.not_features,
            key=spec.data.key,
            time_column=spec.data.time_column,
            confidence=services.releases.policy(opening).confidence,
            clusters=clusters_of(training, spec),
            clusters_evaluation=clusters_of(evaluation, spec),
            seed=spec.seed,
        ),
    )
