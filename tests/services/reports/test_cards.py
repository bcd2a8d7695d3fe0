"""Cards say what somebody who was not there must know."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import skops.io
import yaml
from huggingface_hub import ModelCard
from pydantic import JsonValue
from sklearn.linear_model import LogisticRegression

from gatewright.core.records import sha256_hex
from gatewright.core.refs import ArtifactRef
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.services.reports.cards import annex_iv, card_body, data_card, model_card
from tests.services.reports.example_view import (
    CANDIDATE,
    DATA,
    MODEL,
    SPEC,
    STAGES,
    example_view,
    half_said,
    said_everywhere,
    stage,
)
from tests.services.reports.pages import ELEMENTS
from tests.services.reports.rendering import rendered
from tests.services.reports.test_evidence_page import hostile_view

Card = Callable[[ReleaseView], str]
GOLDEN = Path(__file__).parent / "golden"


def front_matter(card: str) -> dict[str, object]:
    head = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    assert head is not None
    found = yaml.safe_load(head[1])
    assert isinstance(found, dict)
    return found


def test_a_model_card_has_the_headings_a_reader_looks_for() -> None:
    """Use, limits, metrics, groups, data, ethics, caveats, contact, digests."""
    assert re.findall(r"^## (.*)$", model_card(example_view()), re.MULTILINE) == [
        "Model details", "Intended use", "How to use", "Limits", "Metrics", "Metrics by group", "Training data",
        "Ethical considerations", "Caveats", "Contact", "Digests",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("view", "verdict"),
    [
        (example_view(), "waiting; the policy says **PASS**."),
        (replace(example_view(), decision=None, state=ReleaseState.FAILED), "failed; the policy has not been asked."),
    ],
)
def test_a_model_card_says_first_what_became_of_the_model(view: ReleaseView, verdict: str) -> None:
    """Before any fact about it."""
    first = card_body(model_card(view)).split("\n\n")[1]
    assert first == f"Release <code>triage-2000-1</code>: {verdict}"


def test_a_model_card_carries_its_metrics_where_a_machine_reads_them() -> None:
    """The front matter is a Hugging Face model index."""
    index = front_matter(model_card(example_view()))["model-index"]
    metrics = index[0]["results"][0]["metrics"]  # type: ignore[index]
    assert {"type": "auc", "value": 0.858, "name": "AUC"} in metrics


def test_a_model_card_shows_metrics_with_intervals_and_groups_with_support() -> None:
    """And marks what is too small to judge."""
    card = model_card(example_view())
    assert "| AUC | 0.858 | [0.840, 0.876] | 4,200 |" in card
    assert "| age\\_band | 65+ | 22 | 9 |" in card
    assert "0.870 [0.560, 0.970] (too few)" in card
    assert MODEL in card


def test_a_model_card_names_what_did_not_pass_and_what_must_not_be_an_input() -> None:
    """The drift alarm and the leaking column."""
    caveats = model_card(example_view()).split("## Caveats")[1]
    assert "feature-drift" in caveats
    assert "<code>severity</code> is never an input: written after the outcome" in caveats


def test_a_data_card_lists_every_file_with_its_digest_and_rows() -> None:
    """Three files, two of them for training."""
    card = data_card(example_view())
    rows = re.findall(r"^\| (training|evaluation) \| (\d{4}) \| data/\d{4}.parquet \| ([\d,]+) \|", card, re.MULTILINE)
    assert rows == [("training", "1998", "4,000"), ("training", "1999", "4,000"), ("evaluation", "2000", "4,200")]
    assert card.count(DATA.training.files[0].artifact.sha256) == 3


def test_a_data_card_says_what_each_column_is_for() -> None:
    """Features, target, sensitive, key, time and the forbidden one with its reason."""
    card = data_card(example_view())
    for row in (
        "| <code>belt</code> | feature \\(categorical\\) | – | – |",
        "| <code>age</code> | feature \\(number\\); sensitive | – | – |",
        "| <code>dead</code> | target, positive: dead | – | – |",
        "| <code>severity</code> | never a feature: written after the outcome | – | – |",
    ):
        assert row in card


def test_a_data_card_shows_source_license_bands_and_validation() -> None:
    """Attribution is escaped like everything else."""
    card = data_card(example_view())
    assert "Somebody, &lt;b&gt;somewhere&lt;/b&gt;" in card
    assert "License: Public domain" in card
    assert "16-24 from 16 to below 25" in card
    assert "## Validation\n" in card
    assert "| training | 1998, 1999 | 8,000 |" in card


def test_a_data_card_shows_the_types_and_gaps_that_lineage_profiled() -> None:
    """Where nobody profiled them, a dash; never a guess that looks measured."""
    profile: dict[str, JsonValue] = {"speed": {"type": "float64", "missing": 1200}, "belt": "nonsense"}
    card = data_card(example_view({"lineage": stage("lineage", details={"columns": profile})}))
    assert "| <code>speed</code> | feature \\(number\\) | float64 | 1,200 |" in card
    assert "| <code>belt</code> | feature \\(categorical\\) | – | – |" in card


@pytest.mark.parametrize(("card", "gaps"), [(model_card, 5), (data_card, 7)])
def test_what_nobody_has_written_is_named_where_it_is_missed(card: Card, gaps: int) -> None:
    """Each gap names the field of the file; a card that says everything has none."""
    said = replace(example_view(), spec=SPEC.model_copy(update={"card": said_everywhere("Words of somebody.")}))
    assert card(example_view()).count("*Nobody has written it: <code>card.") == gaps
    assert "Nobody has written" not in card(said)
    assert card(said).count("Words of somebody.") >= gaps


def test_a_placeholder_is_shown_as_a_gap() -> None:
    """A promise to write is not words."""
    promised = SPEC.card.model_copy(update={"contact": "TODO: ask Kim"})
    card = model_card(replace(example_view(), spec=SPEC.model_copy(update={"card": promised})))
    assert "<code>card.contact</code>" in card
    assert "ask Kim" not in card


def test_a_model_card_loads_as_one_of_the_hub() -> None:
    """Its front matter is known to Hugging Face's own reader, results of the evaluation and all."""
    card = ModelCard(model_card(example_view()))
    (auc,) = (result for result in card.data.eval_results if result.metric_type == "auc")
    assert (auc.metric_value, auc.dataset_type, auc.task_type) == (0.858, "triage", "tabular-classification")
    assert card.data.library_name == "sklearn"
    assert ModelCard(model_card(replace(example_view(), stages={}))).data.eval_results is None


def test_the_code_on_a_model_card_loads_the_model_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is run as printed, on a real file, and then on one with another byte."""
    body = skops.io.dumps(LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    artifact = ArtifactRef(sha256=sha256_hex(body), size=len(body), media_type="application/x-skops")
    view = replace(example_view(), candidate=CANDIDATE.model_copy(update={"artifact": artifact}))
    snippet = re.findall(r"^```\n(.*?)^```$", model_card(view), re.DOTALL | re.MULTILINE)[0]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.skops").write_bytes(body)
    loaded: dict[str, Any] = {}
    exec(snippet, loaded)
    assert loaded["model"].predict([[1.0]]) == [1]
    (tmp_path / "model.skops").write_bytes(body + b" ")
    with pytest.raises(SystemExit, match="another file"):
        exec(snippet, {})


@pytest.mark.parametrize("name", ["a`b", '"]);import os#', "```\n# heading", "x\ny"])
def test_code_is_not_printed_from_what_is_no_name(name: str) -> None:
    """Code cannot be escaped, so a type that is no Python name is in no code."""
    spec = SPEC.model_copy(update={"trusted_types": (name,)})
    card = model_card(replace(example_view(), spec=spec))
    assert "skops.io.loads" not in card
    assert "gatewright serve" in card


def test_an_onnx_model_is_loaded_with_onnxruntime() -> None:
    """The type of the file says which."""
    artifact = CANDIDATE.artifact.model_copy(update={"media_type": "application/x-onnx"})
    card = model_card(replace(example_view(), candidate=CANDIDATE.model_copy(update={"artifact": artifact})))
    assert 'onnxruntime.InferenceSession("model.onnx"' in card
    assert front_matter(card)["model_format"] == "onnx"


@pytest.mark.parametrize("card", [model_card, data_card, annex_iv])
def test_a_card_is_built_as_agreed(card: Card, tmp_path: Path) -> None:
    """It equals its golden file; the new text lies in the temporary directory. Made twice, it is the same."""
    name, text = f"{card.__name__}.md", card(half_said())
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")
    assert text == card(half_said())


@pytest.mark.parametrize("card", [model_card, data_card, annex_iv])
def test_a_card_of_a_release_that_came_nowhere_says_what_is_missing(card: Card) -> None:
    """Nothing measured, no data, no candidate, no decision: still a card."""
    view = example_view({name: stage(name) for name in STAGES})
    nothing = replace(view, stages={}, data=None, candidate=None, decision=None, request=None)
    for early in (nothing, replace(nothing, stages=view.stages)):
        assert "were not pinned" in card(early) or "**GAP: data sets.**" in card(early)


@pytest.mark.parametrize("card", [model_card, data_card, annex_iv])
def test_hostile_text_stays_text_in_a_card(card: Card) -> None:
    """In the body, and in the front matter, which some renderers show as Markdown."""
    text = card(hostile_view())
    assert set(rendered(text).tags) <= ELEMENTS | {"h3", "hr"}
    assert front_matter(text)["tags"] == ["gatewright", "triage"]


@pytest.mark.parametrize("card", [model_card, data_card, annex_iv])
def test_a_card_can_be_shown_without_its_front_matter(card: Card) -> None:
    """A page shows the heading first."""
    assert re.match(r"# (Model card|Data card|INCOMPLETE).*: .*Triage", card_body(card(example_view())))
