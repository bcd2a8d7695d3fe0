"""Where a model came from, as OpenLineage events: exact bytes of data, code, environment, who and when.

One run is one release. Its inputs are the training and evaluation datasets, each with its pinned files; its
output is the model, whose score depends on each feature (https://openlineage.io/spec/2-0-2/OpenLineage.json).
"""

import tempfile
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from openlineage.client import event_v2 as ol
from openlineage.client import facet_v2 as facets
from openlineage.client.transport.file import FileConfig, FileTransport

from gatewright import __version__
from gatewright.core.errors import DataError
from gatewright.core.records import Record
from gatewright.core.refs import Candidate, DatasetFile, DatasetRef
from gatewright.core.releases import Opening, ReleaseData

__all__ = ["ColumnProfile", "ColumnProfiles", "column_profiles", "lineage_events", "run_id_of"]

NAMESPACE = "gatewright"
FILES = "file"
PRODUCER = f"urn:gatewright:{__version__}"
SCORE = "score"


class ColumnProfile(Record):
    """One column: its type, how many values are missing, how many differ; bounds of finite numbers only."""

    type: str
    missing: int
    distinct: int
    minimum: float | None = None
    maximum: float | None = None


class ColumnProfiles(Record):
    """What a frame holds: ``rows``, and each column in its order."""

    rows: int
    columns: dict[str, ColumnProfile]


def column_profiles(frame: pd.DataFrame) -> ColumnProfiles:
    """Profile each column of ``frame``."""
    return ColumnProfiles(rows=len(frame), columns={str(name): _profile(column) for name, column in frame.items()})


def lineage_events(
    *,
    opening: Opening,
    data: ReleaseData,
    candidate: Candidate,
    profiles: Mapping[str, ColumnProfiles],
    at: datetime,
) -> bytes:
    """START (at the opening) and COMPLETE (``at``) as JSON lines.

    ``profiles`` has one entry a dataset, by its name. Raises DataError when one is missing. Equal arguments
    give equal bytes.
    """
    job = _job(opening)
    inputs = [one for dataset in (data.training, data.evaluation) for one in _inputs(dataset, _of(profiles, dataset))]
    common: dict[str, Any] = {"run": _run(opening, candidate), "job": job, "producer": PRODUCER}
    start = ol.RunEvent(eventType=ol.RunState.START, eventTime=opening.opened_at.isoformat(), inputs=inputs, **common)
    complete = ol.RunEvent(
        eventType=ol.RunState.COMPLETE,
        eventTime=at.isoformat(),
        inputs=inputs,
        outputs=[_output(candidate)],
        **common,
    )
    return _lines(start, complete)


def run_id_of(name: str) -> str:
    """The UUID of a run: ``name`` itself if it is one (Prefect's), else derived from it, the same everywhere."""
    try:
        return str(uuid.UUID(name))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:gatewright:run:{name}"))


def _lines(*events: ol.RunEvent) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "events.jsonl"
        # Not through OpenLineageClient: the environment can silence it and then nothing is written.
        transport = FileTransport(FileConfig(log_file_path=str(path), append=True))
        for event in events:
            transport.emit(event)
        return path.read_bytes()


def _job(opening: Opening) -> ol.Job:
    revision = opening.code_revision
    return ol.Job(
        namespace=NAMESPACE,
        name=f"{opening.model}.release",
        facets={
            "jobType": facets.job_type_job.JobTypeJobFacet(
                processingType="BATCH", integration="GATEWRIGHT", jobType="MODEL_RELEASE", producer=PRODUCER
            ),
            "sourceCodeLocation": facets.source_code_location_job.SourceCodeLocationJobFacet(
                type="git", url=f"urn:git:commit:{revision}", version=revision, producer=PRODUCER
            ),
            "ownership": facets.ownership_job.OwnershipJobFacet(
                owners=[facets.ownership_job.Owner(name=opening.requested_by, type="REQUESTER")],
                producer=PRODUCER,
            ),
        },
    )


def _run(opening: Opening, candidate: Candidate) -> ol.Run:
    parent = facets.parent_run
    return ol.Run(
        runId=run_id_of(opening.release_id),
        facets={
            "parent": parent.ParentRunFacet(
                run=parent.Run(runId=run_id_of(opening.flow_run)),
                job=parent.Job(namespace="prefect", name="release"),
                producer=PRODUCER,
            ),
            "processing_engine": facets.processing_engine_run.ProcessingEngineRunFacet(
                version=__version__, name="gatewright", producer=PRODUCER
            ),
            "gatewright_release": _own_facet(
                releaseId=opening.release_id,
                period=opening.period,
                flowRun=opening.flow_run,
                requestedBy=opening.requested_by,
                openedAt=opening.opened_at.isoformat(),
                codeRevision=opening.code_revision,
                environmentSha256=opening.environment_sha256,
                specSha256=opening.spec.sha256,
                policySha256=opening.policy.sha256,
                rosterSha256=opening.roster.sha256,
                championSha256=opening.champion.model_sha256 if opening.champion else None,
            ),
            "gatewright_training": _own_facet(
                # The candidate may have been trained in an earlier release, by other code.
                author=candidate.author,
                trainedAt=candidate.trained_at.isoformat(),
                codeRevision=candidate.code_revision,
                environmentSha256=candidate.environment_sha256,
                seed=candidate.seed,
                versions=dict(sorted(candidate.versions.items())),
            ),
        },
    )


def _own_facet(**properties: Any) -> Any:
    return facets.RunFacet(producer=PRODUCER).with_additional_properties(**properties)


def _inputs(dataset: DatasetRef, profiles: ColumnProfiles) -> list[ol.InputDataset]:
    metrics = facets.data_quality_metrics_input_dataset
    size = sum(file.artifact.size for file in dataset.files)
    symlinks = facets.symlinks_dataset
    identifiers = [symlinks.Identifier(namespace=FILES, name=file.uri, type="FILE") for file in dataset.files]
    whole = ol.InputDataset(
        namespace=NAMESPACE,
        name=dataset.name,
        facets={
            "schema": _schema(profiles),
            "version": _version(dataset.digest),
            "symlinks": symlinks.SymlinksDatasetFacet(identifiers=identifiers, producer=PRODUCER),
        },
        inputFacets={
            "dataQualityMetrics": metrics.DataQualityMetricsInputDatasetFacet(
                columnMetrics={name: _metrics(profiles.rows, one) for name, one in profiles.columns.items()},
                rowCount=profiles.rows,
                bytes=size,
                fileCount=len(dataset.files),
                producer=PRODUCER,
            )
        },
    )
    return [whole, *(_file(file, profiles) for file in dataset.files)]


def _file(file: DatasetFile, profiles: ColumnProfiles) -> ol.InputDataset:
    statistics = facets.input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
        rowCount=file.rows, size=file.artifact.size, fileCount=1, producer=PRODUCER
    )
    return ol.InputDataset(
        namespace=FILES,
        name=file.uri,
        facets={"schema": _schema(profiles), "version": _version(file.artifact.sha256)},
        inputFacets={"inputStatistics": statistics},
    )


def _output(candidate: Candidate) -> ol.OutputDataset:
    lineage, ownership = facets.column_lineage_dataset, facets.ownership_dataset
    training = candidate.training.name
    used = [
        lineage.InputField(
            namespace=NAMESPACE,
            name=training,
            field=feature,
            transformations=[
                lineage.Transformation(
                    type="DIRECT", subtype="TRANSFORMATION", description="feature of the fitted model"
                )
            ],
        )
        for feature in candidate.features
    ]
    schema = facets.schema_dataset
    score = schema.SchemaDatasetFacetFields(name=SCORE, type="double", description="P(positive | features)")
    return ol.OutputDataset(
        namespace=NAMESPACE,
        name=f"{candidate.model}/model",
        facets={
            "version": _version(candidate.artifact.sha256),
            "schema": schema.SchemaDatasetFacet(fields=[score], producer=PRODUCER),
            "columnLineage": lineage.ColumnLineageDatasetFacet(
                fields={SCORE: lineage.Fields(inputFields=used)}, producer=PRODUCER
            ),
            "ownership": ownership.OwnershipDatasetFacet(
                owners=[ownership.Owner(name=candidate.author, type="AUTHOR")], producer=PRODUCER
            ),
        },
    )


def _version(sha256: str) -> Any:
    return facets.dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=sha256, producer=PRODUCER)


def _schema(profiles: ColumnProfiles) -> Any:
    schema = facets.schema_dataset
    fields = [
        schema.SchemaDatasetFacetFields(name=name, type=one.type, ordinal_position=position)
        for position, (name, one) in enumerate(profiles.columns.items(), start=1)
    ]
    return schema.SchemaDatasetFacet(fields=fields, producer=PRODUCER)


def _metrics(rows: int, profile: ColumnProfile) -> Any:
    return facets.data_quality_metrics_input_dataset.ColumnMetrics(
        nullCount=profile.missing,
        distinctCount=profile.distinct,
        count=rows - profile.missing,
        min=profile.minimum,
        max=profile.maximum,
    )


def _profile(column: pd.Series) -> ColumnProfile:
    known = column.dropna()
    counts = {
        "type": str(column.dtype),
        "missing": len(column) - len(known),
        "distinct": int(known.nunique()),
    }
    if not pd.api.types.is_numeric_dtype(column):
        return ColumnProfile.model_validate(counts)
    values = known.to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return ColumnProfile.model_validate(counts)
    return ColumnProfile.model_validate({**counts, "minimum": float(values.min()), "maximum": float(values.max())})


def _of(profiles: Mapping[str, ColumnProfiles], dataset: DatasetRef) -> ColumnProfiles:
    if dataset.name not in profiles:
        raise DataError(
            "the dataset has no column profiles.",
            where=dataset.name,
            remedy=f"profile it first; there are: {', '.join(profiles) or 'none'}.",
        )
    return profiles[dataset.name]
