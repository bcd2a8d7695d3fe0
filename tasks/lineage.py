"""Say where everything came from: OpenLineage events over the digests of all inputs and outputs; and what is unsaid."""

from pydantic import JsonValue

from gatewright.core.checks.documentation import measure_documentation
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.services.lineage import ColumnProfiles, column_profiles, lineage_events
from gatewright.wiring import Services, connect
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["lineage"]


@stage_task(name="lineage")
def lineage(opening: Opening, data: ReleaseData, candidate: Candidate) -> StageEvidence:
    """Write the OpenLineage events of this release and keep them as evidence; count what its card leaves unsaid."""
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
        measurements=measure_documentation(spec.card),
        details={"columns": _types(profiles[data.training.name])},
        artifacts={"openlineage": services.blobs.put(events, "application/x-ndjson")},
    )


def _types(profiles: ColumnProfiles) -> dict[str, JsonValue]:
    """For the data card; bounds may be somebody's, so they stay in the events."""
    return {name: {"type": one.type, "missing": one.missing} for name, one in profiles.columns.items()}
