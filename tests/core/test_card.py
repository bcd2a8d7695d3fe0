"""What a card leaves unsaid is counted, named, and judged like any other number."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from gatewright.core.card import AnnexIV, Card, is_said, unsaid
from gatewright.core.checks.documentation import measure_documentation
from gatewright.core.judging import judge_rule
from gatewright.core.results import Status
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml
from tests.core.examples import policy, rule

ROOT = Path(__file__).parents[2]
REQUIRED = {
    "owner": "Kim",
    "intended_use": "Rank.",
    "out_of_scope": "All else.",
    "limits": "Old.",
    "ethical_considerations": "Some.",
}
DOCUMENTED = rule(
    id="documented", stage="lineage", metric="missing_card_fields", minimum=None, maximum=0, decide_on="value"
)


def card(**said: object) -> Card:
    return Card.model_validate({**REQUIRED, **said})


def test_a_card_of_required_words_alone_lacks_all_others() -> None:
    """Twelve fields for cards and sixteen for Annex IV, each named as it is written in the file."""
    cards, annex = measure_documentation(card())
    assert (cards.value, cards.n, annex.value, annex.n) == (12, 17, 16, 16)
    assert "card.contact, card.intended_users" in cards.note
    assert annex.note.startswith("nobody has written: card.annex_iv.provider, ")


def test_what_is_written_is_not_missing() -> None:
    """A list counts by its items, and a section by its own fields."""
    said = card(contact="kim@example.org", data_biases=["Young people are rare."], annex_iv={"provider": "Acme"})
    cards, annex = measure_documentation(said)
    assert (cards.value, annex.value) == (10, 15)
    assert "card.contact" not in cards.note
    assert "card.data_biases" not in cards.note


def test_nothing_is_said_of_a_complete_card() -> None:
    """Zero, without a note."""
    texts = {name: ["words"] if Card.model_fields[name].default == () else "words" for name in unsaid(card())}
    assert measure_documentation(card(**texts))[0].model_dump(include={"value", "note"}) == {"value": 0, "note": ""}


@pytest.mark.parametrize("text", ["TODO", "todo: ask Kim", "TBD", "<tba>", "FIXME later", "XXX"])
def test_a_promise_to_write_is_not_words(text: str) -> None:
    """A placeholder counts as missing, alone or within a list, also where the words are required."""
    assert not is_said(text)
    assert not is_said(("Something.", text))
    assert unsaid(card(owner=text))[0] == "owner"


@pytest.mark.parametrize("text", ["Todorov Ltd", "none", "No data were labelled."])
def test_words_that_only_look_like_a_promise_are_words(text: str) -> None:
    """Names may begin alike, and `none` is an answer."""
    assert is_said(text)


@pytest.mark.parametrize(
    "said",
    [{"contact": "  "}, {"contact": "x" * 2001}, {"intended_users": "everybody"}, {"annex_iv": {"provder": "Acme"}}],
)
def test_a_card_is_read_strictly(said: dict[str, object]) -> None:
    """Blanks, texts that no page would show in full, a text for a list, and a key with a typo are refused."""
    with pytest.raises(ValidationError):
        card(**said)


def test_a_gap_fails_the_rule_that_asks_for_words() -> None:
    """An exact count: one field is enough."""
    terms = policy(DOCUMENTED)
    missing, _ = measure_documentation(card())
    (result,) = judge_rule(terms, DOCUMENTED, [missing], has_champion=True)
    (unmeasured,) = judge_rule(terms, DOCUMENTED, [], has_champion=True)
    assert (result.status, result.value) == (Status.FAILED, 12)
    assert unmeasured.status is Status.ERROR


def test_the_example_is_documented_and_leaves_the_gaps_of_the_regulation_open() -> None:
    """It is on no market: nobody has declared its conformity."""
    path = ROOT / "examples/crash_triage/model.yaml"
    spec = parse_yaml(path.read_text(encoding="utf-8"), ModelSpec, where=str(path))
    assert measure_documentation(spec.card)[0].value == 0
    assert {"provider", "declaration", "risk_management"} <= set(unsaid(spec.card.annex_iv))
    assert is_said(spec.card.annex_iv.design_choices)
    assert spec.card.annex_iv != AnnexIV()
