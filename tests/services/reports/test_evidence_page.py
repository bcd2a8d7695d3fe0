"""The evidence page and the approval form's text: verdict first, nothing hostile, small."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from gatewright.core.assurance import Assurance
from gatewright.core.ledger import LedgerEntry
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import ReleaseState
from gatewright.core.results import Measurement
from gatewright.core.statements import Approval
from gatewright.services.reports.evidence_page import approval_description, evidence_page, stage_page
from tests.services.reports.example_view import (
    CHAMPION,
    MODEL,
    NOON,
    ROOT,
    STAGES,
    counted,
    example_view,
    group,
    measured,
    said_everywhere,
    stage,
)
from tests.services.reports.other_views import (
    blocked,
    held,
    of_classes,
    of_numbers,
    unmeasured,
    wide,
    with_slices,
)
from tests.services.reports.pages import GOLDEN, HOSTILE, LINKS, before_the_fold, broken_tables, foreign_parts
from tests.services.reports.rendering import without_charts


def hostile_view() -> ReleaseView:
    """Every free text of a release is an attack."""
    stages = {
        "fairness": stage(
            "fairness",
            measured("equal_opportunity_difference", 0.47, 0.32, 0.61, slice_name=HOSTILE),
            details={"groups": [group(HOSTILE, HOSTILE, 100, 50, (0.5, 0.4, 0.6))]},
        ),
        "drift": stage("drift", counted("psi", 0.9, HOSTILE)),
        "slices": stage(
            "slices",
            measured("error_rate_change", 0.1, 0.05, 0.2, slice_name=HOSTILE),
            Measurement(metric="worst_slice_change", slice=HOSTILE, value=0.1, n=50, p_value=0.01),
        ),
        "validate": stage(
            "validate",
            details={"training": {"failures": [dict.fromkeys(("expectation", "column", "severity"), HOSTILE)]}},
        ),
        "robustness": stage("robustness", Measurement(metric="auc_drop", slice=HOSTILE, value=None, n=1, note=HOSTILE)),
    }
    view = example_view(stages)
    approval = Approval(
        request="5" * 64,
        decision="approve",
        principal=HOSTILE,
        role=HOSTILE,
        reason=HOSTILE,
        assurance="declared",
        at=NOON,
    )
    card = said_everywhere(HOSTILE)
    return replace(
        view,
        spec=view.spec.model_copy(update={"title": HOSTILE, "card": card}),
        opening=view.opening.model_copy(
            update={"requested_by": HOSTILE, "period": HOSTILE, "code_revision": "<b>" + HOSTILE}
        ),
        approvals=(approval,),
    )


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("evidence_page", evidence_page(with_slices(), links=LINKS)),
        ("evidence_page_held", evidence_page(held(), links={})),
        ("evidence_page_blocked", evidence_page(blocked(), links={})),
        ("evidence_page_of_numbers", evidence_page(of_numbers(), links={})),
        ("evidence_page_of_classes", evidence_page(of_classes(), links={})),
        ("evidence_page_unmeasured", evidence_page(unmeasured(), links={})),
        ("approval_description", approval_description(with_slices(), links=LINKS)),
        ("approval_description_held", approval_description(held(), links={})),
        ("stage_page", stage_page(STAGES["drift"], [])),
    ],
)
def test_a_page_is_built_as_agreed(name: str, page: str, tmp_path: Path) -> None:
    """The page equals its golden file but for the drawings; the new text lies in the temporary directory."""
    found = without_charts(page)
    (tmp_path / f"{name}.md").write_text(found, encoding="utf-8")
    assert found == (GOLDEN / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("view", "word"),
    [
        (example_view(), "PASS"),
        (example_view({"evaluate": stage("evaluate", measured("auc", 0.86, 0.84, 0.88))}, champion=False), "HOLD"),
        (blocked(), "BLOCK"),
        (replace(example_view(), decision=None, state=ReleaseState.OPEN), "NOT DECIDED"),
    ],
)
@pytest.mark.parametrize("page", [evidence_page, approval_description])
def test_the_verdict_is_the_first_word(view: ReleaseView, word: str, page: object) -> None:
    """Nobody scrolls for it."""
    assert page(view, links={}).lstrip("#").startswith(f" {word}: ")  # type: ignore[operator]


@pytest.mark.parametrize("page", [evidence_page, approval_description])
def test_one_screen_holds_verdict_objections_comparison_and_who_is_needed(page: object) -> None:
    """In this order, before anything that has to be opened or scrolled to."""
    first = before_the_fold(page(example_view(), links=LINKS))  # type: ignore[operator]
    places = [
        first.index(words) for words in ("PASS: ", "PSI, year\\_built", "<img alt=", "1 more approval needed until")
    ]
    assert places == sorted(places)
    assert "2026-03-05 12:00 UTC" in first
    assert len(without_charts(first)) < 1800


def test_an_objection_says_by_how_much_the_limit_is_missed() -> None:
    """With the value and its interval; 0.47 is 0.12 over 0.35."""
    first = before_the_fold(evidence_page(blocked(), links={}))
    assert "equal opportunity difference, age\\_band: 0.470 [0.320, 0.610], **0.120 over the limit of 0.35**" in first
    assert first.index("(blocks)") < first.index("(warns)")


def test_an_interval_that_reaches_over_the_limit_says_how_far() -> None:
    """0.3 is allowed, 0.41 is 0.06 too much."""
    gap = measured("equal_opportunity_difference", 0.3, 0.2, 0.41, slice_name="sex")
    shown = evidence_page(example_view({"fairness": stage("fairness", gap)}), links={})
    assert "**INCONCLUSIVE** (blocks): equal opportunity difference, sex" in shown
    assert "0.300 [0.200, 0.410], **may be 0.060 over the limit of 0.35**" in shown


def test_more_objections_than_fit_are_behind_the_fold() -> None:
    """The three weightiest are shown, and all can be opened, each with what its rule is for."""
    page = evidence_page(wide(), links={})
    assert before_the_fold(page).count("\n- **") == 3
    assert "<summary>All 200 checks that did not pass, and what each rule is for</summary>" in page
    assert "<em>Another population.</em>" in page


def test_an_answered_release_needs_nobody() -> None:
    """A year later the page says how it ended and who approved."""
    given = Approval(
        request="5" * 64, decision="approve", principal="dana.reyes", role="release-manager", reason="All is known.",
        assurance="signed", at=NOON,
    )  # fmt: skip
    shown = evidence_page(replace(example_view(), state=ReleaseState.DEPLOYED, approvals=(given,)), links={})
    first = before_the_fold(shown)
    assert "**It was approved and deployed.** Given: **approve** by dana.reyes (signed), 2026-03-02 12:00 UTC" in first
    assert "needed" not in first
    assert "## Who had to approve" in shown
    assert "then it expires" in evidence_page(example_view(), links={})
    assert not [words for words in ("Who must", "then it expires", "Log in", "cannot approve") if words in shown]


def answer(view: ReleaseView, person: str, decision: Literal["approve", "reject"]) -> Approval:
    assert view.request is not None
    return Approval(
        request=view.request.digest,
        decision=decision,
        principal=person,
        role="compliance-officer",
        reason="All is known.",
        assurance="gateway",
        at=NOON,
    )


def test_an_approval_of_this_request_is_not_needed_again() -> None:
    """Of two different people one is missing after the first, and none after the second."""
    view = held()
    both = (answer(view, "dana.reyes", "approve"), answer(view, "sam.okafor", "approve"))
    assert "**2 more approvals needed until" in evidence_page(view, links={})
    assert "**1 more approval needed until" in evidence_page(replace(view, approvals=both[:1]), links={})
    done = evidence_page(replace(view, approvals=both), links={})
    assert "**All approvals are given.**" in done
    assert "Resume" not in done


def test_a_rejected_release_asks_for_nothing_more() -> None:
    """One person's refusal ends it, also before the ledger has written the end down."""
    view = held()
    shown = evidence_page(replace(view, approvals=(answer(view, "dana.reyes", "reject"),)), links={})
    assert "**It was rejected: the champion stays.** Given: **reject** by dana.reyes (gateway)" in shown
    assert "more approvals needed" not in shown
    assert "Resume" not in shown


def test_a_release_of_broken_glass_is_not_called_approved() -> None:
    """Who broke it, when and why stands in the first screen; people must answer still."""
    broken = LedgerEntry(kind="break_glass", release_id="triage-2000-1", actor="kim.larsen", at=NOON, note="<b>Fire")
    shown = evidence_page(replace(example_view(), state=ReleaseState.DEPLOYED, events=(broken,)), links={})
    first = before_the_fold(shown)
    assert "## Who must approve" in shown
    assert "**kim.larsen broke the glass** 2026-03-02 12:00 UTC, &lt;b&gt;Fire." in first
    assert "**It was deployed without an approval.**" in first


def test_where_a_signature_is_asked_the_page_does_not_send_people_to_the_form() -> None:
    """A resume without a signed token would be refused."""
    view = example_view()
    assert view.request is not None
    tier = view.request.tier.model_copy(update={"assurance": "signed"})
    shown = evidence_page(replace(view, request=view.request.model_copy(update={"tier": tier})), links={})
    assert "(SSH signature)" in shown
    assert "which sign with your key" in shown
    assert "Resume" not in shown


def test_slices_that_surely_got_worse_come_first_and_say_what_a_search_confirmed() -> None:
    """A larger change that may be chance stands below."""
    page = evidence_page(with_slices(), links={})
    chart = next(alt for alt in re.findall(r'<img alt="(.*?)"', page) if "error rate" in alt)
    order = [chart.index(words) for words in ("belt=no: +0.024 worse, n 2,100", "speed=high: +0.030 no clear change")]
    assert order == sorted(order)
    assert "A search confirmed 1 of 2 as worse than under the champion" in page


def test_slices_of_numbers_are_judged_by_their_mean_error_and_claim_no_search() -> None:
    """A slice that is surely further off stands first; what was not searched for is not called clean."""
    page = evidence_page(of_numbers(), links={})
    chart = next(alt for alt in re.findall(r'<img alt="(.*?)"', page) if "mean absolute error" in alt)
    order = [chart.index(words) for words in ("sex=f: +0.400 worse, n 1,900", "sex=m: -0.900 no clear change")]
    assert order == sorted(order)
    assert "*The worst slices were not searched for: not defined for numbers.*" in page
    assert "confirmed" not in page


def test_slices_of_several_classes_are_judged_by_their_error_rate() -> None:
    """As those of two classes, with what the search confirmed."""
    page = evidence_page(of_classes(), links={})
    assert "Change of the error rate. belt=no: +0.024 worse, n 2,100" in page
    assert "A search confirmed 1 of 2 as worse than under the champion" in page


def test_slices_of_numbers_without_a_champion_show_their_level() -> None:
    """On a scale in the target's unit: 8.1 is not cut at 1."""
    view = of_numbers()
    levels = [m for m in view.stages["slices"].measurements if m.metric == "mae"]
    page = evidence_page(replace(view, stages={**view.stages, "slices": stage("slices", *levels)}), links={})
    assert "Mean absolute error, highest first. sex=f: 8.100 n 4,200" in page
    assert "(level; no champion serves)" in page


def test_a_failed_expectation_is_named_without_its_rows() -> None:
    """Column, expectation and how many rows; samples stay where they are masked."""
    page = evidence_page(with_slices(), links={})
    assert "**warning**, training data: speed, column values to be between: 4 rows do not hold" in page
    assert "a secret" not in page


def test_each_picture_says_in_words_what_it_shows() -> None:
    """Who cannot see it hears the metrics with their changes."""
    alts = re.findall(r'<img alt="(.*?)"', evidence_page(with_slices(), links={}))
    assert len(alts) == 5
    assert "AUC: 0.828 → 0.858 +0.030 better" in alts[0]


def test_a_blocked_release_asks_nobody() -> None:
    """There is nothing to approve; the next step is named."""
    first = before_the_fold(evidence_page(blocked(), links={}))
    assert "Nobody is asked: a blocked release cannot be approved." in first
    assert "**Next:** <code>gatewright explain triage-2000-1</code>" in first


def test_rules_on_the_champion_are_excused_at_a_first_release() -> None:
    """They are neither passed nor counted as blocking."""
    view = example_view({"evaluate": stage("evaluate", measured("auc", 0.86, 0.84, 0.88))}, champion=False)
    page = evidence_page(view, links={})
    assert "1 excused" in page
    assert "**INCONCLUSIVE** (excused) |" in page
    assert "1 blocking" not in page


def test_what_was_not_measured_is_said() -> None:
    """An empty release gives sentences, not empty charts."""
    page = evidence_page(example_view({name: stage(name) for name in STAGES}), links={})
    for sentence in ("The metrics were not measured.", "Rates by group were not measured.", "Drift was not measured."):
        assert sentence in page


def test_the_approval_text_binds_all_digests_in_full() -> None:
    """Evidence, candidate, champion and policy can be compared digit by digit."""
    page = approval_description(example_view(), links={})
    assert all(digest in page for digest in (ROOT, MODEL, CHAMPION, "2" * 64))


def test_the_approval_text_says_what_to_write_in_each_field() -> None:
    """Decision, approver, reason and token, in the form's order."""
    form = approval_description(example_view(), links={}).split("# What to write in the form")[1]
    rows = re.findall(r"^\| (\w+) \| (.*) \|$", form, re.MULTILINE)[1:5]
    assert [field for field, _ in rows] == ["decision", "approver", "reason", "token"]
    assert "<code>approve</code> or <code>reject</code>" in rows[0][1]
    assert "<code>none</code>" in rows[3][1]


def test_the_approval_text_names_the_people_and_the_end_of_the_window() -> None:
    """Who, how many, until when, and who not."""
    page = approval_description(example_view(), links={})
    assert "**1 person** with the role release-manager or compliance-officer" in page
    assert "2026-03-05 12:00 UTC" in page
    assert "The author, kim.larsen, cannot approve it." in page


@pytest.mark.parametrize("page", [evidence_page, approval_description])
def test_hostile_text_adds_no_element_and_no_address(page: object) -> None:
    """Titles, groups, slices, names and reasons stay text in their cells."""
    view = hostile_view()
    assert not foreign_parts(page(view, links=LINKS))  # type: ignore[operator]


@pytest.mark.parametrize("page", [evidence_page, approval_description])
def test_hostile_text_leaves_the_tables_their_shape(page: object) -> None:
    """Each row of each table has as many cells as its header."""
    shown = page(hostile_view(), links={})  # type: ignore[operator]
    assert "\n| " in shown
    assert not broken_tables(shown)


def test_a_page_of_a_wide_release_stays_small() -> None:
    """Two hundred groups, slices and features stay well under the 300 kB that Prefect's events can carry."""
    assert len(evidence_page(wide(), links=LINKS).encode()) < 200_000
    assert len(approval_description(wide(), links=LINKS).encode()) < 100_000


@pytest.mark.parametrize(
    ("assurance", "says"),
    [
        ("declared", "declared: typed into the form, not verified"),
        ("gateway", "gateway: logged in, and stamped by the identity gateway"),
        ("signed", "signed: by the person's own SSH key, over exactly this evidence"),
    ],
)
def test_answers_so_far_are_shown_with_how_far_the_name_is_proven(assurance: Assurance, says: str) -> None:
    """A name typed into a form proves nothing, and the page says so."""
    approval = Approval(
        request="5" * 64,
        decision="approve",
        principal="dana.reyes",
        role="release-manager",
        reason="Drift is known.",
        assurance=assurance,
        at=NOON + timedelta(hours=1),
    )
    page = evidence_page(replace(example_view(), approvals=(approval,)), links={})
    row = f"| dana.reyes | release-manager | approve | Drift is known. | 2026-03-02 13:00 UTC | {says} |"
    assert row in page


def test_a_stage_page_shows_its_verdict_and_the_first_thirty_measurements() -> None:
    """The rest is counted and stays in the store."""
    evidence = stage("drift", *[counted("psi", 0.01, f"column_{i}") for i in range(45)])
    results = [r for r in example_view({"drift": evidence}).decision.results if r.stage == "drift"]  # type: ignore[union-attr]
    page = stage_page(evidence, results[:1])
    assert page.startswith("## PASS: drift")
    assert "column\\_29" in page
    assert "column\\_30" not in page
    assert "*and 15 more in the store.*" in page


def test_a_stage_with_a_rule_that_did_not_pass_says_so_first() -> None:
    """One feature drifted."""
    results = [r for r in example_view().decision.results if r.stage == "drift"]  # type: ignore[union-attr]
    assert stage_page(STAGES["drift"], results).startswith("## 1 NOT PASSED: drift")
