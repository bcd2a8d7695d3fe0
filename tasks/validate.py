"""Validate training and evaluation data with their Great Expectations suites."""

import json

from gatewright.core.refs import DatasetRef
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.core.spec import ModelSpec
from gatewright.services.expectations import validate as run_suite
from gatewright.services.expectations import validation_measurements
from gatewright.wiring import Services, connect
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["validate"]


@stage_task(name="validate")
def validate(opening: Opening, data: ReleaseData) -> StageEvidence:
    """Run both suites, keep Great Expectations' own results and Data Docs, count failures by severity."""
    services = connect()
    return run_stage(services, "validate", opening, lambda: _find(services, opening, data))


def _find(services: Services, opening: Opening, data: ReleaseData) -> Findings:
    spec = services.releases.spec(opening)
    found = [
        _of(services, opening, spec, "training", data.training),
        _of(services, opening, spec, "evaluation", data.evaluation),
    ]
    return Findings(
        inputs={"data": data},
        measurements=tuple(m for part in found for m in part.measurements),
        details={key: value for part in found for key, value in part.details.items()},
        artifacts={key: value for part in found for key, value in part.artifacts.items()},
    )
