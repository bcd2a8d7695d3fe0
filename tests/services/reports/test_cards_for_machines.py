"""What machines read of a release is what their own validators accept, and says what the evidence says."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlcroissant
import pandas as pd
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from gatewright.core.records import sha256_hex
from gatewright.core.refs import ArtifactRef, DatasetFile, DatasetRef
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseData
from gatewright.core.spec import Target
from gatewright.services.reports.cards import croissant, mlbom
from tests.services.reports.example_view import (
    CANDIDATE,
    DATA,
    MODEL,
    SPEC,
    example_view,
    group,
    half_said,
    measured,
    said_everywhere,
    stage,
)
from tests.services.reports.pages import HOSTILE
from tests.services.reports.test_evidence_page import hostile_view

# Of mlcroissant's own use of rdflib and pandas.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The inplace keyword")
GOLDEN = Path(__file__).parent / "golden"
CYCLONEDX = JsonStrictValidator(SchemaVersion.V1_6)
Card = Callable[[ReleaseView], str]


def nothing_yet() -> ReleaseView:
    return replace(
        example_view(), stages={}, data=None, candidate=None, decision=None, request=None, evidence_root=None
    )


def of_task(task: str, *measurements: Any) -> ReleaseView:
    """The example as a model of numbers, or of several classes."""
    spec = SPEC.model_copy(update={"task": task, "target": Target(column="price"), "decision_threshold": None})
    fairness = stage("fairness", details={"group_means": [{"slice": "sex", "group": "f", "n": 40, "mae": 1.5}]})
    view = example_view({"evaluate": stage("evaluate", *measurements), "fairness": fairness})
    return replace(view, spec=spec)


def everything_hostile() -> ReleaseView:
    """Also what the pages do not show: names of files, columns, libraries, people."""
    view = hostile_view()
    file = DATA.training.files[0].model_copy(update={"uri": HOSTILE, "period": HOSTILE})
    spec = view.spec.model_copy(
        update={
            "features": (HOSTILE, "x y/z#?%"),
            "trusted_types": (HOSTILE,),
            "data": view.spec.data.model_copy(update={"license": HOSTILE, "attribution": HOSTILE, "key": (HOSTILE,)}),
        }
    )
    candidate = CANDIDATE.model_copy(update={"author": HOSTILE, "versions": {HOSTILE: HOSTILE}})
    data = ReleaseData(training=DatasetRef(name="t", files=(file,)), evaluation=DATA.evaluation)
    return replace(view, spec=spec, candidate=candidate, data=data)


VIEWS: dict[str, Callable[[], ReleaseView]] = {
    "example": example_view,
    "half said": half_said,
    "said": lambda: replace(example_view(), spec=SPEC.model_copy(update={"card": said_everywhere("Words.")})),
    "nothing yet": nothing_yet,
    "regression": lambda: of_task("regression", measured("rmse", 2.5, 2.0, 3.0), measured("r2", 0.5, 0.4, 0.6)),
    "multiclass": lambda: of_task("multiclass_classification", measured("macro_auc", 0.8, 0.7, 0.9)),
    "hostile": everything_hostile,
}


def bom(view: ReleaseView) -> dict[str, Any]:
    found = json.loads(mlbom(view))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_croissants_own_reader_accepts_the_data_card(view: str) -> None:
    """Without an error and without a warning, whatever is missing and whatever people wrote."""
    document = json.loads(croissant(VIEWS[view]()))
    dataset = mlcroissant.Dataset(jsonld=document)
    assert dataset.metadata.ctx.issues.errors == set()
    assert dataset.metadata.ctx.issues.warnings == set() or view == "nothing yet"
    assert len(dataset.metadata.record_sets) == len(document.get("distribution", []))


@pytest.mark.parametrize("view", VIEWS)
def test_the_strict_validator_of_cyclonedx_accepts_the_bill_of_materials(view: str) -> None:
    """Of version 1.6, which refuses unknown fields too; and all references lead to a component."""
    assert CYCLONEDX.validate_str(mlbom(VIEWS[view]())) is None
    document = bom(VIEWS[view]())
    refs = {one["bom-ref"] for one in document["components"]} | {"release"}
    named = {ref for one in document["dependencies"] for ref in (one["ref"], *one.get("dependsOn", ()))}
    assert named == refs


def test_the_validator_does_refuse() -> None:
    """A field that the standard does not know, so that acceptance means something."""
    document = bom(example_view())
    document["components"][0]["modelCard"]["accuracy"] = 1
    assert CYCLONEDX.validate_str(json.dumps(document)) is not None


@pytest.mark.parametrize("card", [croissant, mlbom])
def test_a_machine_card_is_built_as_agreed(card: Card, tmp_path: Path) -> None:
    """It equals its golden file; the new text lies in the temporary directory. Made twice, it is the same."""
    name, text = f"{card.__name__}.json", card(half_said())
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")
    assert text == card(half_said())


@pytest.fixture
def card_with_data(tmp_path: Path) -> Path:
    """A card beside a file of two rows."""
    pd.DataFrame({"speed": [1.5, None], "belt": ["none", "belted"], "age": [30, 40]}).to_parquet(tmp_path / "a.parquet")
    body = (tmp_path / "a.parquet").read_bytes()
    artifact = ArtifactRef(sha256=sha256_hex(body), size=len(body), media_type="application/vnd.apache.parquet")
    file = DatasetFile(uri="a.parquet", period="1998", rows=2, artifact=artifact)
    view = half_said()
    spec = view.spec.model_copy(
        update={
            "sensitive": (),
            "not_features": {},
            "target": Target(column="age", positive=1),
            "data": SPEC.data.model_copy(update={"key": ("age",), "time_column": "age"}),
        }
    )
    data = ReleaseData(training=DatasetRef(name="t", files=(file,)), evaluation=DatasetRef(name="e", files=()))
    path = tmp_path / "croissant.json"
    path.write_text(croissant(replace(view, spec=spec, data=data)), encoding="utf-8")
    return path


def test_rows_can_be_read_through_the_data_card(card_with_data: Path) -> None:
    """Each with the type that was profiled."""
    rows = list(mlcroissant.Dataset(jsonld=card_with_data).records("training-1-rows"))
    assert [row["training-1-rows/belt"] for row in rows] == [b"none", b"belted"]
    assert [row["training-1-rows/age"] for row in rows] == [30, 40]
    assert rows[0]["training-1-rows/speed"] == 1.5


def test_rows_of_another_file_are_refused(card_with_data: Path) -> None:
    """The reader holds the file against the digest of the card."""
    pd.DataFrame({"speed": [1.5], "belt": ["none"], "age": [30]}).to_parquet(card_with_data.parent / "a.parquet")
    with pytest.raises(mlcroissant.GenerationError) as refused:
        list(mlcroissant.Dataset(jsonld=card_with_data).records("training-1-rows"))
    assert "is not identical with the reference" in str(refused.value.__cause__)


def test_a_bill_lists_the_model_the_data_and_the_libraries_with_what_identifies_them() -> None:
    """Digests of bytes, package URLs of libraries."""
    components = {one["bom-ref"]: one for one in bom(example_view())["components"]}
    assert components["model"]["hashes"] == [{"alg": "SHA-256", "content": MODEL}]
    assert components["training-2"]["hashes"][0]["content"] == "d" * 64
    assert components["pkg:pypi/scikit-learn@1.9.1"]["version"] == "1.9.1"
    assert components["pkg:generic/python@3.11.9"]["type"] == "platform"


def test_a_bill_says_what_depends_on_what() -> None:
    """The model learned from the training data; the release also rests on the evaluation data."""
    graph = {one["ref"]: set(one.get("dependsOn", ())) for one in bom(example_view())["dependencies"]}
    assert graph["release"] == {"model", "evaluation-1"}
    assert {"training-1", "training-2", "pkg:pypi/scikit-learn@1.9.1"} <= graph["model"]
    assert "evaluation-1" not in graph["model"]


def test_a_bill_gives_metrics_with_intervals_and_slices() -> None:
    """As text, as CycloneDX wants them; groups too small to judge and changes to the champion are left out."""
    metrics = bom(example_view())["components"][0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {
        "type": "auc", "value": "0.858", "confidenceInterval": {"lowerBound": "0.84", "upperBound": "0.876"}
    } in metrics  # fmt: skip
    sliced = {(m["type"], m.get("slice")): m["value"] for m in metrics}
    assert sliced["equal_opportunity_difference", "age_band"] == "0.17"
    assert sliced["true_positive_rate", "age_band=16-24"] == "0.7"
    assert ("true_positive_rate", "age_band=65+") not in sliced
    assert not [m for m in metrics if m["type"].endswith("_change")]


def test_a_bill_takes_its_time_and_its_name_from_the_evidence() -> None:
    """The latest stage ended 2.5 seconds after noon; other evidence is another bill."""
    ours, other = bom(example_view()), bom(replace(example_view(), evidence_root="e" * 64))
    assert ours["metadata"]["timestamp"] == "2026-03-02T12:00:02Z"
    assert uuid.UUID(ours["serialNumber"].removeprefix("urn:uuid:")).version == 5
    assert ours["serialNumber"] != other["serialNumber"]


def test_the_responsible_ai_fields_say_what_people_said() -> None:
    """And are left out where nobody has said anything."""
    said, unsaid = json.loads(croissant(half_said())), json.loads(croissant(example_view()))
    assert said["rai:dataBiases"] == ["Old cars.", "Few old people."]
    assert said["rai:dataCollection"] == "Reports of the police."
    assert said["rai:dataCollectionMissingData"] == "Missing values in the training data: speed 3"
    assert said["rai:personalSensitiveInformation"][0] == "sex: its groups are audited as sex"
    assert "rai:dataBiases" not in unsaid
    assert "rai:dataCollection" not in unsaid


def test_no_hidden_sign_reaches_a_machine() -> None:
    """Line breaks and bidirectional controls are gone from what is shown to people by other tools."""
    for text in (croissant(everything_hostile()), mlbom(everything_hostile())):
        values = [value for value in _texts(json.loads(text)) if "script" in value]
        shown = [value for value in values if "%" not in value]
        assert shown
        assert not [value for value in shown if "\u202e" in value or "\n" in value]


def _texts(value: Any) -> list[str]:
    """All texts but the names of columns, by which a reader finds them in the file."""
    if isinstance(value, dict):
        return [text for key, one in value.items() if key != "extract" for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(
    ("uri", "reference"),
    [
        ("data/1998.parquet", "data/1998.parquet"),
        ("s3://bucket/a b.parquet?versionId=7", "s3://bucket/a%20b.parquet?versionId=7"),
        ("javascript:alert(1)", "javascript%3Aalert(1)"),
        (" javascript:alert(1)", "javascript%3Aalert(1)"),
        ("x[1]<2>.parquet", "x%5B1%5D%3C2%3E.parquet"),
    ],
)
def test_the_place_of_a_file_is_a_reference_that_runs_nothing(uri: str, reference: str) -> None:
    """Only the schemes of places where files lie keep their colon."""
    file = DATA.training.files[0].model_copy(update={"uri": uri})
    data = ReleaseData(training=DatasetRef(name="t", files=(file,)), evaluation=DATA.evaluation)
    found = {one["bom-ref"]: one for one in bom(replace(example_view(), data=data))["components"]}
    assert found["training-1"]["data"][0]["contents"]["url"] == reference


def test_rates_of_a_group_go_into_the_bill_with_their_support() -> None:
    """Thirty positives are enough, twenty-nine are not."""
    rows = [group("sex", "f", 400, 30, (0.8, 0.7, 0.9)), group("sex", "m", 400, 29, (0.8, 0.7, 0.9))]
    view = example_view({"fairness": stage("fairness", details={"groups": rows})})
    metrics = bom(view)["components"][0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    found = {m["slice"] for m in metrics if m["type"] == "true_positive_rate"}
    assert found == {"sex=f"}
