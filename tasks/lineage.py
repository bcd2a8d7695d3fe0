"""Say where everything came from: OpenLineage events over the digests of all inputs and outputs."""

from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.services.lineage import column_profiles, lineage_events
from gatewright.wiring import Services, connect
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["lineage"]


@stage_task(name="lineage")
def lineage(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Write the OpenLineage events of this release and keep them as evidence."""
    services = connect()
    return run_stage(services, "lineage", opening, lambda: _find(services, opening, data, candidate))


def _find(services: Services, opening: Opening, data: ReleaseData, candidate: Candidate) -> Findings:
    spec = services.releases.spec(opening)
    datasets = services.datasets(opening.model)
    profiles = {
        dataset.name: column_profiles(datasets.load(dataset, spec.columns()))
        for dataset in (data.training, data.evaluation)
    }
    events = lineage_events(opening=opening, data=data, candidate=candidate, profiles=profiles, at=services.now())
    return Findings(
        inputs={"data": data, "candidate": candidate},
        artifacts={"openlineage": services.blobs.put(events, "application/x-ndjson")},
    )
