"""Cards say what somebody who was not there must know."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml

from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.cards import card_body, data_card, model_card
from tests.services.reports.example_view import DATA, MODEL, STAGES, example_view, stage
from tests.services.reports.rendering import rendered
from tests.services.reports.test_evidence_page import ELEMENTS, hostile_view

Card = Callable[[ReleaseView], str]


def front_matter(card: str) -> dict[str, object]:
    head = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    assert head is not None
    found = yaml.safe_load(head[1])
    assert isinstance(found, dict)
    return found


def test_a_model_card_has_the_headings_a_reader_looks_for() -> None:
    """Use, limits, metrics, groups, data, ethics, caveats, digests."""
    assert re.findall(r"^## (.*)$", model_card(example_view()), re.MULTILINE) == [
        "Model details", "Intended use", "Limits", "Metrics", "Metrics by group", "Training data",
        "Ethical considerations", "Caveats", "Digests",
    ]  # fmt: skip


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
        "| <code>belt</code> | feature (categorical) |",
        "| <code>age</code> | feature (number); sensitive |",
        "| <code>dead</code> | target, positive: dead |",
        "| <code>severity</code> | never a feature: written after the outcome |",
    ):
        assert row in card


def test_a_data_card_shows_source_license_bands_and_validation() -> None:
    """Attribution is escaped like everything else."""
    card = data_card(example_view())
    assert "Somebody, &lt;b&gt;somewhere&lt;/b&gt;" in card
    assert "License: Public domain" in card
    assert "16-24 from 16 to below 25" in card
    assert "| training | 1998, 1999 | 8,000 | 0 | 1 |" in card


@pytest.mark.parametrize("card", [model_card, data_card])
def test_a_card_of_a_release_that_came_nowhere_says_what_is_missing(card: Card) -> None:
    """Nothing measured, no data, no candidate, no decision: still a card."""
    view = example_view({name: stage(name) for name in STAGES})
    assert "were not pinned" in card(replace(view, data=None, candidate=None, decision=None, request=None))


@pytest.mark.parametrize("card", [model_card, data_card])
def test_hostile_text_stays_text_in_a_card(card: Card) -> None:
    """In the body, and in the front matter, which some renderers show as Markdown."""
    text = card(hostile_view())
    assert set(rendered(text).tags) <= ELEMENTS | {"h3", "hr"}
    assert front_matter(text)["tags"] == ["gatewright", "triage"]


@pytest.mark.parametrize("card", [model_card, data_card])
def test_a_card_can_be_shown_without_its_front_matter(card: Card) -> None:
    """A page shows the heading first."""
    assert re.match(r"# (Model|Data) card: Triage", card_body(card(example_view())))
