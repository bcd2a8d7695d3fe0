"""Validate training and evaluation data with their Great Expectations suites."""

import json
from typing import Any, Literal

from gatewright.core.errors import IntegrityError
from gatewright.core.refs import ArtifactRef, DatasetRef
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.results import StageEvidence
from gatewright.core.spec import ModelSpec
from gatewright.services.expectations import (
    ValidationOutcome,
    masked_columns_of,
    validate_elsewhere,
    validate_files,
    validation_measurements,
)
from gatewright.services.expectations import validate as validate_frame
from gatewright.wiring import Services, connect
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["validate"]

Part = Literal["training", "evaluation"]


@stage_task(name="validate")
def validate(opening: Opening, data: ReleaseData) -> StageEvidence:
    """Run both suites, keep Great Expectations' own results and Data Docs, count failures by severity."""
    services = connect()
    return run_stage(services, "validate", opening, lambda: _find(services, opening, data))


def _find(services: Services, opening: Opening, data: ReleaseData) -> Findings:
    spec = services.releases.spec(opening)
    outcomes = {
        "training": _outcome(services, opening, spec, "training", data.training),
        "evaluation": _outcome(services, opening, spec, "evaluation", data.evaluation),
    }
    return Findings(
        inputs={"data": data},
        measurements=tuple(m for name, o in outcomes.items() for m in validation_measurements(o, slice=name)),
        details={name: o.summary.model_dump(mode="json") for name, o in outcomes.items()},
        artifacts={
            **{f"{part}/suite.json": _suite(services, part, path) for part, path in spec.suites.items()},
            **{key: ref for name, o in outcomes.items() for key, ref in _store(services, name, o).items()},
        },
    )


def _outcome(
    services: Services, opening: Opening, spec: ModelSpec, part: Part, dataset: DatasetRef
) -> ValidationOutcome:
    """Streamed from the pinned files, or with what ``validation.engine`` of the spec names."""
    suite = services.project_files.path(f"suites.{part}", spec.suites[part])
    given: dict[str, Any] = {
        "masked_columns": masked_columns_of(spec),
        "parameters": {"period": int(opening.period) if opening.period.isdecimal() else opening.period},
    }
    if spec.validation.engine == "onepass":
        pinned = [services.blobs.path(file.artifact) for file in dataset.files]
        outcome = validate_files(pinned, suite, dataset_name=dataset.name, columns=spec.columns(), plain=True, **given)
        if outcome.summary.rows != dataset.rows:
            raise IntegrityError(
                f"the files have {outcome.summary.rows} rows, their reference says {dataset.rows}.",
                where=dataset.name,
                remedy="do not use this reference; pin the dataset again and compare.",
            )
        return outcome
    if spec.validation.engine == "pandas":
        frame = services.datasets(opening.model).load(dataset, spec.columns())
        return validate_frame(frame, suite, dataset_name=dataset.name, **given)
    return validate_elsewhere(spec, dataset, suite, blobs=services.blobs, **given)


def _suite(services: Services, part: str, path: str) -> ArtifactRef:
    """The suite as it was run: the file may be changed while people think."""
    return services.blobs.put(services.project_files.path(f"suites.{part}", path).read_bytes(), "application/json")


def _store(services: Services, part: str, outcome: ValidationOutcome) -> dict[str, ArtifactRef]:
    """The whole result and each page of the Data Docs; a blob that is there already is not written again."""
    result = json.dumps(outcome.result, sort_keys=True).encode()
    pages = {f"{part}/data-docs/{path}": body for path, body in outcome.data_docs.items()}
    docs = {path: services.blobs.put(body, _media_type(path)) for path, body in sorted(pages.items())}
    return {f"{part}/gx-result.json": services.blobs.put(result, "application/json"), **docs}


def _media_type(path: str) -> str:
    return "text/html" if path.endswith(".html") else "application/octet-stream"
