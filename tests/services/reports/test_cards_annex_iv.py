"""The technical documentation of Annex IV says what is answered, by what it is proven, and what nobody has written."""

import re
from dataclasses import replace
from datetime import timedelta

from gatewright.core.card import AnnexIV, Card
from gatewright.core.ledger import LedgerEntry
from gatewright.core.release_view import EarlierRelease, ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.statements import Approval
from gatewright.services.reports.cards import annex_iv
from gatewright.services.reports.cards.annex_parts import Said
from gatewright.services.reports.cards.annex_points import POINTS
from tests.services.reports.example_view import (
    NOON,
    SPEC,
    STAGES,
    example_view,
    half_said,
    measured,
    said_everywhere,
    stage,
)

# The numbering of the Annex in the Official Journal, OJ L, 2024/1689, 12.7.2024.
NUMBERS = [
    *(f"1({letter})" for letter in "abcdefgh"), *(f"2({letter})" for letter in "abcdefgh"), *"3456789"
]  # fmt: skip


def complete() -> ReleaseView:
    """Everybody has written, measured, signed."""
    attack = measured("adversarial_flip_rate", 0.1, 0.05, 0.2)
    stages = {
        "train": stage("train"),
        "ingest": stage("ingest"),
        "lineage": stage("lineage"),
        "robustness": stage("robustness", *STAGES["robustness"].measurements, attack),
    }
    approval = Approval(
        request="5" * 64, decision="approve", principal="dana.reyes", role="release-manager", reason="Drift is known.",
        assurance="signed", at=NOON + timedelta(hours=1),
    )  # fmt: skip
    event = LedgerEntry(kind="opened", release_id="triage-2000-1", actor="kim.larsen", at=NOON)
    return replace(
        example_view(stages),
        spec=SPEC.model_copy(update={"card": said_everywhere("Words.")}),
        approvals=(approval,),
        events=(event,),
        earlier=(EarlierRelease("triage-1999-1", "1999", ReleaseState.DEPLOYED),),
    )


def gaps(text: str) -> list[tuple[str, str]]:
    """Point and what is missing, from the table at the top."""
    table = text.split("## Gaps")[1].split("\n\n")[2] if "## Gaps" in text else ""
    return re.findall(r"^\| (\d(?:\(\w\))?) \| (.*?) \|", table, re.MULTILINE)


def test_every_point_of_the_annex_is_there_once_and_in_its_order() -> None:
    """Eight letters of point 1, eight of point 2, then 3 to 9."""
    assert re.findall(r"^### \w+ · (\S+) ·", annex_iv(example_view()), re.MULTILINE) == NUMBERS
    assert [int(n) for n in re.findall(r"^## (\d)\.", annex_iv(example_view()), re.MULTILINE)] == list(range(1, 10))


def test_every_field_that_people_can_write_for_it_is_asked_for() -> None:
    """A field of the section that no point shows would be written for nobody."""
    asked = {part.field for point in POINTS for part in point.parts if isinstance(part, Said)}
    assert {f"annex_iv.{name}" for name in AnnexIV.model_fields} <= asked
    assert all(field.removeprefix("annex_iv.") in AnnexIV.model_fields or field in Card.model_fields for field in asked)


def test_the_verdict_and_the_gaps_come_first() -> None:
    """Each with the point, who writes it, and where."""
    text = annex_iv(half_said())
    assert "\n# INCOMPLETE: technical documentation of Triage" in text
    assert text.index("## Gaps") < text.index("## 1. General description")
    assert "| 8 | declaration | provider | <code>card.annex\\_iv.declaration</code> |" in text
    assert ("1(a)", "name of the provider") not in gaps(text)
    assert ("1(a)", "name of the provider") in gaps(annex_iv(example_view()))


def test_the_count_of_gaps_is_that_of_the_table() -> None:
    """And of the marks in the text."""
    text = annex_iv(half_said())
    said = re.search(r"(\d+) of (\d+) parts are missing, in (\d+) of 23 points", text)
    assert said is not None
    assert int(said[1]) == len(gaps(text)) == text.count("**GAP: ")
    assert int(said[2]) == sum(len(point.parts) for point in POINTS)
    assert int(said[3]) == len({number for number, _ in gaps(text)})


def test_a_documentation_with_an_answer_to_each_point_says_no_more_than_that() -> None:
    """Whether it suffices is for people to judge."""
    text = annex_iv(complete())
    assert gaps(text) == []
    assert "# EACH POINT ANSWERED: " in text
    assert "GAP" not in text
    assert "whether an answer suffices, is for people to judge" in text


def test_what_was_not_measured_is_a_gap_that_nobody_can_write() -> None:
    """Without a stage the documentation does not pretend."""
    found = gaps(annex_iv(replace(complete(), stages={}, data=None, candidate=None, decision=None)))
    for gap in (("1(a)", "version"), ("2(d)", "data sets"), ("2(g)", "test results"), ("3", "accuracy by group")):
        assert gap in found
    assert ("1(a)", "intended purpose") not in found


def test_who_signed_is_a_gap_until_somebody_has() -> None:
    """The documents that people are asked with cannot hold their answers."""
    text = annex_iv(replace(complete(), approvals=()))
    assert gaps(text) == [("2(g)", "who signed")]
    assert "| 2(g) | who signed | the roles of the tier | <code>gatewright approve</code> |" in text
    assert "## Gaps" not in annex_iv(complete())


def test_an_answer_names_what_proves_it() -> None:
    """The digest of the stage's evidence, of the spec or of the policy; or the ledger."""
    view = complete()
    text = annex_iv(view)
    assert f"From the stage <code>fairness</code>, evidence <code>{view.stages['fairness'].digest}</code>." in text
    assert f"Written by people: <code>card.data\\_biases</code>, spec <code>{view.opening.spec.sha256}</code>." in text
    assert f"From the policy <code>{view.opening.policy.sha256}</code>." in text
    assert "From the ledger of <code>triage</code>, entries of <code>triage-2000-1</code>." in text


def test_tests_changes_and_monitoring_come_from_the_evidence() -> None:
    """Verdict, approvals, events, earlier releases, and what production is held against."""
    text = annex_iv(complete())
    assert "The policy says PASS." in text
    assert "| dana.reyes | release-manager | approve | Drift is known. |" in text
    assert "| triage-1999-1 | 1999 | deployed |" in text
    assert "| 2026-03-02 12:00 UTC | opened | kim.larsen |" in text
    assert "| <code>live</code> | PSI | each | at most 0.25 | alert | Moves away. |" in text
