"""Past releases under another policy: what flips, what cannot be told, and what a file of them proves."""

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.backtest import Rejudged, backtest, standing_of
from gatewright.core.decision import Outcome, decide
from gatewright.core.errors import IntegrityError
from gatewright.core.judging import judge
from gatewright.core.measured_release import MeasuredRelease, MeasuredReleases, Standing, asked_of
from gatewright.core.policy import Policy
from gatewright.core.releases import ReleaseState
from gatewright.core.results import Severity
from gatewright.core.tiers import Conditions, Tier
from tests.core.examples import DIGEST, NOW, facts, measured, policy, rule
from tests.core.releases_measured import released
from tests.core.waiver_examples import waiver

RECALL = rule(id="recall-floor", metric="recall", minimum=0.5)


def only(proposed: Policy, release: MeasuredRelease, *, against: Policy | None = None) -> Rejudged:
    [one] = backtest(proposed, [release], against=against).rejudged
    return one


def test_a_stricter_floor_blocks_what_was_let_through_and_says_by_how_much() -> None:
    """An AUC of 0.8 within 0.02 passes a floor of 0.75, and not one of 0.79: its interval reaches down to 0.78."""
    one = only(policy(rule(minimum=0.79)), released())
    assert (one.before, one.after, one.flips, one.newly_blocked) == ("promote", "block", True, True)
    [missed] = one.now_missed
    assert (missed.rule, missed.value, missed.interval and missed.interval.low) == ("auc-floor", 0.8, 0.78)
    assert only(policy(rule(minimum=0.78)), released()).flips is False


@given(auc=st.floats(0.3, 0.99), floor=st.floats(0.3, 0.99))
def test_under_the_policy_of_its_time_every_release_is_decided_as_it_was(auc: float, floor: float) -> None:
    """Whatever it measured; and with all of it measured nothing is ever left open."""
    pinned = policy(rule(minimum=floor))
    one = only(pinned, released(auc=auc, by=pinned))
    assert (one.flips, one.cannot_tell, one.asks_others, one.unknown) == (False, False, False, {})


@given(auc=st.floats(0.3, 0.99), floors=st.tuples(st.floats(0.3, 0.99), st.floats(0.3, 0.99)).map(sorted))
def test_a_higher_floor_never_lets_more_through(auc: float, floors: list[float]) -> None:
    """Whatever was blocked by the lower one is blocked by the higher one."""
    low, high = (only(policy(rule(minimum=floor)), released(auc=auc)).after for floor in floors)
    assert (low, high) in {("promote", "promote"), ("promote", "block"), ("block", "block")}


def test_what_was_not_measured_cannot_be_told() -> None:
    """A new rule asks for recall, which nobody measured then: no pass, and no failure either."""
    one = only(policy(rule(), RECALL), released())
    assert (one.before, one.after, one.cannot_tell, one.flips) == ("promote", None, True, False)
    assert one.unknown == {"recall-floor": "`recall` was not measured then"}


def test_another_rule_that_is_missed_for_certain_settles_it() -> None:
    """Recall may be what it will: the AUC blocks."""
    one = only(policy(rule(minimum=0.9), RECALL), released())
    assert (one.after, one.cannot_tell) == ("block", False)
    assert [r.rule for r in one.now_missed] == ["auc-floor"]


@pytest.mark.parametrize(("review_at", "after"), [(1, None), (2, "promote")])
def test_an_unmeasured_warning_matters_only_where_it_could_tip_the_balance(review_at: int, after: str | None) -> None:
    """One warning more or less decides where one is enough for a review, and not where two are."""
    warning = RECALL.model_copy(update={"severity": Severity.WARN})
    assert only(policy(rule(), warning, review_at_warnings=review_at), released()).after == after


def test_what_its_own_policy_asked_for_in_vain_counts_against_it_again() -> None:
    """The stage failed to measure it then, and the release was blocked: that is no open question."""
    pinned = policy(rule(), RECALL)
    release = released(by=pinned, absent=(asked_of(RECALL),))
    assert (only(pinned, release).before, only(pinned, release).after) == ("block", "block")


def test_a_rule_that_only_watches_leaves_nothing_open() -> None:
    """A shadow rule decides nothing, measured or not."""
    watched = RECALL.model_copy(update={"severity": Severity.SHADOW})
    assert only(policy(rule(), watched), released()).after == "promote"


def test_a_first_release_is_not_asked_for_a_change() -> None:
    """No champion served: the rule is excused, as it was when it was decided."""
    change = rule(id="better", test="superiority", minimum=None)
    one = only(policy(rule(), change), released(has_champion=False))
    assert (one.after, one.unknown) == ("review", {})


def test_a_smaller_alpha_asks_for_intervals_that_nobody_computed() -> None:
    """The value alone may still refuse: 0.8 is not 0.81, however wide an interval is."""
    stricter = {"alpha": 0.01}
    assert only(policy(rule(), **stricter), released()).after is None
    assert only(policy(rule(minimum=0.81), **stricter), released()).after == "block"


def test_a_larger_alpha_keeps_what_passes_on_wider_intervals() -> None:
    """All of [0.78, 0.82] is above 0.75, so a narrower interval is too; between 0.79 and 0.8 it cannot be told."""
    looser = {"alpha": 0.1}
    assert only(policy(rule(), **looser), released()).after == "promote"
    assert only(policy(rule(minimum=0.79), **looser), released()).after is None


def test_waivers_are_left_out_on_both_sides() -> None:
    """A release that a waiver let through was blocked without it, and is no flip under the same policy."""
    pinned = policy(rule(minimum=0.9))
    results = judge(pinned, [("evaluate", measured(0.8, 0.78, 0.82))], has_champion=True)
    terms = {"policy_sha256": DIGEST, "has_champion": True, "facts": facts()}
    waived = decide(pinned, results, waivers=(waiver(),), **terms)
    assert waived.outcome == "review"
    standing = standing_of(waived, pinned, has_champion=True)
    assert (standing.outcome, standing.tier, [r.rule for r in standing.missed]) == ("block", None, ["auc-floor"])
    found = backtest(pinned, [released(decided=standing, waivers=1)])
    assert (found.flips, found.with_waivers) == ((), 1)


def test_against_another_policy_both_sides_are_judged_again() -> None:
    """What a change does, and not what was decided under a third policy then."""
    release = released(by=policy(rule(minimum=0.99)))
    one = only(policy(rule(minimum=0.7)), release, against=policy(rule(minimum=0.9)))
    assert (one.before, one.after, one.newly_blocked) == ("block", "promote", False)
    assert [r.rule for r in one.missed_no_more] == ["auc-floor"]
    assert only(policy(rule(minimum=0.7)), release, against=policy(rule(minimum=0.6))).flips is False


def test_a_doubt_before_does_not_hide_a_block() -> None:
    """Recall was never measured, so the former policy cannot be told of; the new one blocks all the same."""
    one = only(policy(rule(minimum=0.9)), released(), against=policy(rule(), RECALL))
    assert (one.before, one.after, one.newly_blocked) == (None, "block", True)


@pytest.mark.parametrize(
    ("outcome", "state", "counts"),
    [
        ("promote", ReleaseState.EXPIRED, True),
        ("review", ReleaseState.DEPLOYED, True),
        ("review", ReleaseState.REJECTED, False),
    ],
)
def test_what_was_let_through_counts_whatever_became_of_it(outcome: Outcome, state: ReleaseState, counts: bool) -> None:
    """By its gates, though nobody approved it in time, or by people; not what people refused anyway."""
    standing = Standing(outcome=outcome, tier="standard", missed=())
    one = only(policy(rule(minimum=0.9)), released(decided=standing, state=state))
    assert (one.flips, one.newly_blocked) == (True, counts)


def test_the_same_outcome_may_ask_other_people() -> None:
    """A fairness movement that cannot be told weighs most: it fits the new tier."""
    careful = Tier(
        name="careful",
        outcomes=("promote",),
        when=Conditions(fairness_movement=0.1),
        approvals=2,
        roles=("release-manager",),
        window_hours=1,
    )
    one = only(policy(tiers=(careful, *policy().tiers)), released())
    assert (one.flips, one.asks_others, one.tiers) == (False, True, ("standard", "careful"))


def test_a_backtest_counts_each_release_once() -> None:
    """One flips, one stays, one cannot be told."""
    proposed = policy(rule(minimum=0.79))
    found = backtest(proposed, [released(), released("example-2", auc=0.9), released("example-3", auc=None)])
    assert (len(found.flips), found.same, len(found.cannot_tell)) == (1, 1, 1)
    assert found.other_support == 0


MEASURED = MeasuredReleases(model="example", releases=(released(), released("example-2", day=2)))


def test_a_file_holds_what_it_was_given() -> None:
    """Written and read, the releases are equal; the digest is over what stands there."""
    assert MeasuredReleases.from_file(MEASURED.to_file(), where="file") == MEASURED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"value":0.8', b'"value":0.9'),
        (b'"example-1"', b'"example-9"'),
        (b'"format":"gatewright-measurements-1"', b'"format":"gatewright-measurements-2"'),
        (b'{"content":', b' {"content":'),
        (b'"sha256":"', b'"sha257":"'),
    ],
)
def test_a_changed_file_is_refused(old: bytes, new: bytes) -> None:
    """A better value, another name, other bytes: none of it is judged."""
    body = MEASURED.to_file()
    assert old in body
    with pytest.raises(IntegrityError):
        MeasuredReleases.from_file(body.replace(old, new, 1), where="file")


def test_a_file_of_two_models_is_refused() -> None:
    """One policy is for one model; a release of another one would be judged by it."""
    mixed = MEASURED.model_copy(update={"releases": (released(model="other"),)})
    with pytest.raises(IntegrityError, match="another model"):
        MeasuredReleases.from_file(mixed.to_file(), where="file")


def test_only_later_releases_are_taken() -> None:
    """The day itself counts."""
    assert [r.release_id for r in MEASURED.since(NOW + timedelta(days=2)).releases] == ["example-2"]
    assert MEASURED.since(NOW) == MEASURED


def test_a_finding_cannot_be_changed_afterwards() -> None:
    """What was found is frozen."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        only(policy(), released()).after = "promote"  # type: ignore[misc]
