"""Look for inputs that know the answer, identify the row, or come from its future."""

import pandas as pd

from gatewright.core.checks.champion_seen import measure_champion_seen
from gatewright.core.checks.leakage import measure_leakage
from gatewright.core.frames import clusters_of, targets_of
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import Measurement, StageEvidence
from gatewright.wiring import Services, connect
from tasks.material import champion_of
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["leakage"]


@stage_task(name="leakage")
def leakage(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Each feature alone and by its name, rows and entities shared with either model's training, time travel."""
    services = connect()
    return run_stage(services, "leakage", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    spec = services.releases.spec(opening)
    datasets = services.datasets(opening.model)
    training = datasets.load(data.training, spec.columns())
    evaluation = datasets.load(data.evaluation, spec.columns())
    of_candidate = measure_leakage(
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
    )
    return Findings(
        inputs={"data": data, "candidate": candidate},
        measurements=(*of_candidate, *_seen_by_champion(services, opening, data, training, evaluation)),
    )


def _seen_by_champion(
    services: Services, opening: Opening, data: ReleaseData, training: pd.DataFrame, evaluation: pd.DataFrame
) -> tuple[Measurement, ...]:
    """Nothing without a champion. Of its training data only those files are read that are not in memory yet."""
    champion = champion_of(services, opening)
    if champion is None:
        return ()
    spec = services.releases.spec(opening)
    columns = tuple(dict.fromkeys((*spec.data.key, *spec.data.cluster)))
    held = ((data.training, training), (data.evaluation, evaluation))
    return measure_champion_seen(
        evaluation,
        services.datasets(opening.model).parts(champion.training, columns, held=held),
        key=spec.data.key,
        cluster=spec.data.cluster,
        confidence=services.releases.policy(opening).confidence,
    )
