"""Pin the data of a release: from here on only these bytes are read."""

from prefect.logging import get_run_logger

from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.wiring import connect
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["ingest"]


@stage_task(name="ingest")
def ingest(opening: Opening, candidate: Candidate | None = None) -> ReleaseData:
    """Pin training and evaluation data; an adopted candidate brings its training data with it.

    Raises DataError for a file that is missing, unreadable, empty or of other columns or types than the spec.
    """
    services = connect()
    data = services.evidence.find("data", opening.release_id, ReleaseData)
    if data is None:
        spec = services.releases.spec(opening)
        datasets = services.datasets(opening.model)
        earlier = spec.data.before(opening.period)
        training = candidate.training if candidate else datasets.pin(spec, earlier, name=f"{spec.name}/training")
        evaluation = datasets.pin(spec, [opening.period], name=f"{spec.name}/evaluation")
        data = services.releases.record("data", opening, ReleaseData(training=training, evaluation=evaluation))
    get_run_logger().info("training %s rows, evaluation %s rows", data.training.rows, data.evaluation.rows)
    run_stage(services, "ingest", opening, lambda: Findings(inputs={"data": data}))
    return data
