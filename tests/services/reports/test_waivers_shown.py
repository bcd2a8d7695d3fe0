"""A waiver is listed wherever somebody decides, with who answers for it and until when; nothing in it is markup."""

from dataclasses import replace

import pytest

from gatewright.core.decision import decide
from gatewright.core.waivers import Waiver
from gatewright.services.reports.cards import model_card
from gatewright.services.reports.evidence_page import approval_description, evidence_page
from tests.core.waiver_examples import waiver
from tests.services.reports.example_view import FACTS, POLICY, STAGES, example_view, measured, stage

GAP = measured("equal_opportunity_difference", 0.47, 0.32, 0.61, slice_name="age_band")
FAILING = {"fairness": stage("fairness", GAP, details=STAGES["fairness"].details)}


def waived(one: Waiver):
    view = example_view(FAILING)
    assert view.decision.outcome == "block"
    decision = decide(
        POLICY, view.decision.results, policy_sha256="2" * 64, has_champion=True, facts=FACTS, waivers=[one]
    )
    return replace(view, decision=decision)


PAGES = [
    lambda view: evidence_page(view, links={}),
    lambda view: approval_description(view, links={}),
    model_card,
]


@pytest.mark.parametrize("page", PAGES, ids=["evidence page", "form", "model card"])
def test_who_answers_for_what_did_not_pass_is_named(page):
    """Beside the numbers of the result, not in a footnote."""
    shown = page(waived(waiver(rule="equal-opportunity", slice="age_band")))
    line = next(line for line in shown.splitlines() if line.startswith("- **FAIL** (waived)"))
    assert "<strong>waived by ada.risk \\(signed\\) until 2026-03-12 09:00 UTC: The new hosts" in line


def test_the_tally_says_how_many_were_waived():
    """Waived is neither passed nor blocking."""
    shown = evidence_page(waived(waiver(rule="equal-opportunity")), links={})
    assert "# HOLD: " in shown
    assert "1 warning, 1 waived." in shown
    assert "blocking" not in shown


@pytest.mark.parametrize("page", PAGES, ids=["evidence page", "form", "model card"])
def test_a_hostile_reason_stays_text(page):
    """The signer's words are shown to others."""
    hostile = waiver(rule="equal-opportunity", reason="<script>alert(1)</script>|`[x](javascript:alert(1))")
    shown = page(waived(hostile))
    assert "<script" not in shown
    assert "](javascript" not in shown
