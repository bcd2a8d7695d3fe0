"""From a model to exact bytes of data and code, in OpenLineage's own form."""

import json
import math
import uuid
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pandas as pd
import pytest

from gatewright.core.errors import DataError
from gatewright.core.refs import ArtifactRef, Candidate, DatasetFile, DatasetRef
from gatewright.core.releases import Champion, Opening, ReleaseData
from gatewright.services.lineage import ColumnProfiles, column_profiles, lineage_events, run_id_of

OPENED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FINISHED = datetime(2026, 1, 2, 4, 0, 0, tzinfo=UTC)
FLOW_RUN = "3f2b8a52-0c8e-4a63-9a53-111111111111"

# The required parts of OpenLineage.json 2-0-2 and of the facets used here, after the published specification.
FACETS: dict[str, Any] = {
    "type": "object",
    "patternProperties": {
        "": {
            "type": "object",
            "required": ["_producer", "_schemaURL"],
            "properties": {
                "_producer": {"type": "string", "pattern": r"^[a-z]+:"},
                "_schemaURL": {"type": "string", "pattern": r"^https://openlineage\.io/spec/"},
            },
        }
    },
}


def dataset_schema(own_facets: str) -> dict[str, Any]:
    facets = {
        **FACETS,
        "properties": {
            "version": {"required": ["datasetVersion"]},
            "schema": {"properties": {"fields": {"type": "array", "items": {"type": "object", "required": ["name"]}}}},
            "symlinks": {"properties": {"identifiers": {"items": {"required": ["namespace", "name", "type"]}}}},
            "columnLineage": {
                "required": ["fields"],
                "properties": {
                    "fields": {
                        "type": "object",
                        "additionalProperties": {
                            "required": ["inputFields"],
                            "properties": {
                                "inputFields": {"type": "array", "items": {"required": ["namespace", "name", "field"]}}
                            },
                        },
                    }
                },
            },
        },
    }
    return {
        "type": "object",
        "required": ["namespace", "name"],
        "properties": {
            "namespace": {"type": "string"},
            "name": {"type": "string"},
            "facets": facets,
            own_facets: FACETS,
        },
    }


RUN_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventTime": {"type": "string", "format": "date-time"},
        "producer": {"type": "string", "format": "uri"},
        "schemaURL": {"const": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"},
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "run": {
            "type": "object",
            "required": ["runId"],
            "properties": {"runId": {"type": "string", "format": "uuid"}, "facets": FACETS},
        },
        "job": {
            "type": "object",
            "required": ["namespace", "name"],
            "properties": {"namespace": {"type": "string"}, "name": {"type": "string"}, "facets": FACETS},
        },
        "inputs": {"type": "array", "items": dataset_schema("inputFacets")},
        "outputs": {"type": "array", "items": dataset_schema("outputFacets")},
    },
}


def blob(digit: str, size: int = 10) -> ArtifactRef:
    return ArtifactRef(sha256=digit * 64, size=size, media_type="application/octet-stream")


def dataset(name: str, *years: int) -> DatasetRef:
    files = [
        DatasetFile(uri=f"data/{year}.parquet", period=str(year), rows=2, artifact=blob(str(year)[-1]))
        for year in years
    ]
    return DatasetRef(name=name, files=tuple(files))


DATA = ReleaseData(training=dataset("m/training", 1997, 1998), evaluation=dataset("m/evaluation", 1999))
OPENING = Opening(
    release_id="m-1999-1",
    model="m",
    period="1999",
    features=("speed", "age"),
    spec=blob("a"),
    policy=blob("b"),
    roster=blob("c"),
    channel_generation=3,
    champion=Champion(release_id="m-1998-1", model_sha256="d" * 64),
    code_revision="0" * 40 + "+dirty",
    environment_sha256="e" * 64,
    requested_by="nora",
    flow_run=FLOW_RUN,
    opened_at=OPENED,
    expires_at=FINISHED,
)
CANDIDATE = Candidate(
    model="m",
    artifact=blob("f", 1234),
    features=("speed", "age"),
    training=DATA.training,
    trained_at=OPENED,
    seed=7,
    author="sam",
    code_revision="1" * 40,
    environment_sha256="2" * 64,
    versions={"scikit-learn": "1.9.1", "numpy": "2.4.6"},
)
FRAME = pd.DataFrame({"speed": ["slow", None, "fast"], "age": [16.0, 97.0, math.nan], "year": [1997, 1997, 1998]})
PROFILES = {"m/training": column_profiles(FRAME), "m/evaluation": column_profiles(FRAME.iloc[:2])}


def events(opening: Opening = OPENING) -> list[dict[str, Any]]:
    body = lineage_events(opening=opening, data=DATA, candidate=CANDIDATE, profiles=PROFILES, at=FINISHED)
    return [json.loads(line) for line in body.splitlines()]


def test_a_release_is_one_run_that_starts_and_completes() -> None:
    """START at the opening, COMPLETE at the time given, both of one run and job."""
    start, complete = events()
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert (start["eventTime"], complete["eventTime"]) == (OPENED.isoformat(), FINISHED.isoformat())
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert start["job"]["name"] == complete["job"]["name"] == "m.release"


def test_events_have_the_structure_of_the_specification() -> None:
    """Required fields and formats are those of OpenLineage 2-0-2."""
    checker = jsonschema.Draft202012Validator(RUN_EVENT, format_checker=jsonschema.FormatChecker(["date-time", "uuid"]))
    for event in events():
        assert [error.message for error in checker.iter_errors(event)] == []


def test_the_structure_check_finds_a_facet_without_its_producer() -> None:
    """The check above can fail."""
    broken = events()[1]
    del broken["outputs"][0]["facets"]["version"]["_producer"]
    with pytest.raises(jsonschema.ValidationError, match="_producer"):
        jsonschema.validate(broken, RUN_EVENT)


def test_every_pinned_file_is_an_input_with_the_digest_of_its_bytes() -> None:
    """The version of a file is its SHA-256, and its rows and bytes are counted."""
    files = {one["name"]: one for one in events()[1]["inputs"] if one["namespace"] == "file"}
    pinned = [*DATA.training.files, *DATA.evaluation.files]
    assert list(files) == [file.uri for file in pinned]
    for file in pinned:
        assert files[file.uri]["facets"]["version"]["datasetVersion"] == file.artifact.sha256
        assert files[file.uri]["inputFacets"]["inputStatistics"]["rowCount"] == file.rows
        assert files[file.uri]["inputFacets"]["inputStatistics"]["size"] == file.artifact.size


def test_a_dataset_names_its_files_and_the_quality_of_its_columns() -> None:
    """Rows, missing values and bounds are those of the frame."""
    training = next(one for one in events()[1]["inputs"] if one["name"] == "m/training")
    assert training["facets"]["version"]["datasetVersion"] == DATA.training.digest
    linked = [one["name"] for one in training["facets"]["symlinks"]["identifiers"]]
    assert linked == ["data/1997.parquet", "data/1998.parquet"]
    quality = training["inputFacets"]["dataQualityMetrics"]
    assert (quality["rowCount"], quality["fileCount"], quality["bytes"]) == (3, 2, 20)
    age = quality["columnMetrics"]["age"]
    assert (age["nullCount"], age["distinctCount"], age["count"], age["min"], age["max"]) == (1, 2, 2, 16.0, 97.0)


def test_the_schema_lists_the_columns_in_their_order_with_their_types() -> None:
    """Names and types are those of the frame."""
    training = next(one for one in events()[1]["inputs"] if one["name"] == "m/training")
    fields = [(one["name"], one["type"]) for one in training["facets"]["schema"]["fields"]]
    assert fields == [("speed", "str"), ("age", "float64"), ("year", "int64")]


def test_the_model_is_the_output_and_its_score_comes_from_each_feature() -> None:
    """Column lineage leads from the score to the training columns."""
    (model,) = events()[1]["outputs"]
    assert model["facets"]["version"]["datasetVersion"] == CANDIDATE.artifact.sha256
    used = model["facets"]["columnLineage"]["fields"]["score"]["inputFields"]
    assert [(one["name"], one["field"]) for one in used] == [("m/training", "speed"), ("m/training", "age")]
    assert model["facets"]["ownership"]["owners"] == [{"name": "sam", "type": "AUTHOR"}]


def test_code_environment_seed_and_people_are_named() -> None:
    """The release's code and the code that trained the candidate may differ, so both are there."""
    event = events()[1]
    assert event["job"]["facets"]["sourceCodeLocation"]["version"] == OPENING.code_revision
    assert event["job"]["facets"]["ownership"]["owners"][0]["name"] == "nora"
    training = event["run"]["facets"]["gatewright_training"]
    assert (training["codeRevision"], training["environmentSha256"]) == ("1" * 40, "2" * 64)
    assert (training["seed"], training["versions"]["scikit-learn"]) == (7, "1.9.1")
    release = event["run"]["facets"]["gatewright_release"]
    assert release["environmentSha256"] == OPENING.environment_sha256
    assert release["championSha256"] == "d" * 64
    assert release["policySha256"] == "b" * 64


def test_a_first_release_has_no_champion() -> None:
    """The field is absent, not invented."""
    release = events(OPENING.model_copy(update={"champion": None}))[1]["run"]["facets"]["gatewright_release"]
    assert "championSha256" not in release


def test_the_parent_run_is_the_flow_run() -> None:
    """A Prefect flow run's id is a UUID and stays itself."""
    assert events()[0]["run"]["facets"]["parent"]["run"]["runId"] == FLOW_RUN


def test_a_name_that_is_no_uuid_always_gives_the_same_uuid() -> None:
    """Version 5 over the name: another machine finds the same run."""
    assert run_id_of("m-1999-1") == run_id_of("m-1999-1")
    assert run_id_of("m-1999-1") != run_id_of("m-1999-2")
    assert uuid.UUID(run_id_of("m-1999-1")).version == 5


def test_equal_releases_give_equal_bytes() -> None:
    """A stage that runs again writes the same evidence."""
    arguments: dict[str, Any] = {"opening": OPENING, "data": DATA, "candidate": CANDIDATE, "profiles": PROFILES}
    assert lineage_events(**arguments, at=FINISHED) == lineage_events(**arguments, at=FINISHED)


def test_events_are_written_even_where_openlineage_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence does not depend on an environment variable."""
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    assert len(events()) == 2


def test_a_dataset_without_profiles_is_refused() -> None:
    """Lineage without data quality would be silently poorer."""
    with pytest.raises(DataError, match="no column profiles") as caught:
        lineage_events(opening=OPENING, data=DATA, candidate=CANDIDATE, profiles={}, at=FINISHED)
    assert caught.value.where == "m/training"


def test_infinite_and_missing_numbers_have_no_part_in_the_bounds() -> None:
    """JSON has no infinity, and a bound over nothing is no bound."""
    frame = pd.DataFrame({"a": [math.inf, 1.0, math.nan], "b": [math.nan] * 3})
    columns = column_profiles(frame).columns
    assert (columns["a"].minimum, columns["a"].maximum, columns["a"].missing) == (1.0, 1.0, 1)
    assert (columns["b"].minimum, columns["b"].missing, columns["b"].distinct) == (None, 3, 0)


def test_profiles_survive_their_canonical_form() -> None:
    """They are evidence and can be read back unchanged."""
    profiles = column_profiles(FRAME)
    assert ColumnProfiles.from_bytes(profiles.to_bytes(), where="here") == profiles
