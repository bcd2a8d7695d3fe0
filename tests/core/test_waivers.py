"""Who may answer for a rule that did not pass, for how long, and what becomes of the decision."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.decision import decide
from gatewright.core.errors import ApprovalError
from gatewright.core.results import CheckResult, Status
from gatewright.core.waivers import accept_waiver, require_waivers, valid_waivers
from tests.core.examples import DIGEST, NOW, facts
from tests.core.waiver_examples import ROSTER, TERMS, until, waiver, waiver_token
from tests.fakes import FakeSignatures


def accepted(text=None, *, terms=TERMS, rosters=(ROSTER,), at=NOW, **changes):
    return accept_waiver(text or waiver_token(**changes), terms, rosters, FakeSignatures(), at=at)


def valid(found, *, author="ann.author", at=NOW, rosters=(ROSTER,), terms=TERMS):
    return valid_waivers([found], terms, rosters, FakeSignatures(), author=author, at=at)


def result(rule_id="auc-floor", slice="all", status=Status.FAILED):
    one = next(rule for rule in TERMS.rules if rule.id == rule_id)
    return CheckResult(
        rule=rule_id, stage=one.stage, metric=one.metric, slice=slice, value=0.5, interval=None, minimum=one.minimum,
        maximum=one.maximum, n=100, status=status, severity=one.severity, reason="test",
    )  # fmt: skip


PASSED = [result("slow", "a", Status.PASSED), result("watched", status=Status.PASSED)]


def decided(*results, waivers=(), has_champion=True, terms=TERMS):
    return decide(terms, results, policy_sha256=DIGEST, has_champion=has_champion, facts=facts(), waivers=waivers)


def test_a_waiver_says_who_for_what_and_until_when():
    """All of it comes from the signed bytes; the role from the roster."""
    found = accepted()
    assert (found.role, found.assurance, found.statement.principal) == ("risk", "signed", "ada.risk")
    assert str(found) == "waived by ada.risk (signed) until 2026-03-12 09:00 UTC: The new hosts arrive in May."


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"model": "other"}, "a waiver for the model other"),
        ({"rule": "no-such-rule"}, "has no rule `no-such-rule`"),
        ({"rule": "watched"}, "is reported only"),
        ({"slice": "sex"}, "does not speak of the slice sex"),
        ({"reason": "because  "}, "too short"),
        ({"expires": NOW}, "does not expire within 30 days"),
        ({"expires": NOW + timedelta(days=30, seconds=1)}, "does not expire within 30 days"),
        ({"issued": NOW + timedelta(minutes=3), "expires": NOW + timedelta(days=1)}, "signed in the future"),
        ({"principal": "nobody.known"}, "is not in version 1 of the roster"),
    ],
)
def test_what_cannot_be_waived_is_refused(changes, problem):
    """Each with what to do instead."""
    with pytest.raises(ApprovalError, match=problem):
        accepted(**changes)


def test_a_policy_without_terms_knows_no_waivers():
    """Silence is no permission."""
    with pytest.raises(ApprovalError, match="knows no waivers"):
        accepted(terms=TERMS.model_copy(update={"waivers": None}))


def test_a_role_that_the_policy_does_not_name_waives_nothing():
    """Neither does a roster that nobody gave."""
    terms = TERMS.model_copy(update={"waivers": TERMS.waivers.model_copy(update={"roles": ("board",)})})
    with pytest.raises(ApprovalError, match="holds no role"):
        accepted(terms=terms)
    with pytest.raises(ApprovalError, match="no roster"):
        accepted(rosters=())


def test_the_longest_waiver_that_the_policy_allows_holds():
    """Thirty days to the second."""
    assert accepted(expires=NOW + timedelta(days=30)).statement.expires == NOW + timedelta(days=30)


def test_a_waiver_ends_to_the_second():
    """At its expiry it holds, a second later it has no effect."""
    assert valid(waiver(), at=until(0))
    assert not valid(waiver(), at=until(1))


def test_the_author_of_a_candidate_waives_nothing_for_it():
    """The same waiver holds for a candidate of somebody else."""
    own = waiver(principal="ann.author")
    assert valid(own, author="kim.larsen")
    assert not valid(own, author="ann.author")


def test_a_failed_block_rule_that_is_waived_asks_for_a_review():
    """It no longer blocks; but people must look, and read who answers for it."""
    assert decided(result(), *PASSED).outcome == "block"
    found = decided(result(), *PASSED, waivers=[waiver()])
    assert (found.outcome, found.waivers) == ("review", (waiver(),))
    assert found.reasons == (
        "auc-floor: waived by ada.risk (signed) until 2026-03-12 09:00 UTC: The new hosts arrive in May.",
    )
    assert found.waiver_for(result()) == waiver()


def test_waived_warnings_do_not_count_and_still_ask_for_a_review():
    """Two of two warnings would have been a review anyway; the reason is another one."""
    slow = [result("slow", "a"), result("slow", "b"), result(status=Status.PASSED), PASSED[1]]
    assert "2 warnings" in decided(*slow).reasons[0]
    found = decided(*slow, waivers=[waiver(rule="slow")])
    assert (found.outcome, len(found.reasons)) == ("review", 1)


def test_a_waiver_of_one_slice_leaves_the_others_alone():
    """What is not named is not answered for."""
    terms = TERMS.model_copy(update={"review_at_warnings": 1})
    slow = [result("slow", "a"), result("slow", "b"), result(status=Status.PASSED), PASSED[1]]
    found = decided(*slow, waivers=[waiver(rule="slow", slice="a")], terms=terms)
    assert [reason.split(":")[0] for reason in found.reasons] == [
        "1 warnings; a review is asked for from 1 on", "slow on a", "slow",
    ]  # fmt: skip


def test_a_waiver_that_nothing_needs_changes_nothing():
    """Everything passed: the release is no worse for a waiver that lies around, and does not list it."""
    found = decided(result(status=Status.PASSED), *PASSED, waivers=[waiver()])
    assert (found.outcome, found.waivers) == ("promote", ())


def test_what_was_not_measured_cannot_be_waived():
    """An error is no result that anybody could answer for; a rule without a result even less."""
    assert decided(result(status=Status.ERROR), *PASSED, waivers=[waiver()]).outcome == "block"
    assert decided(*PASSED, waivers=[waiver()]).outcome == "block"
    assert decided(result(status=Status.INCONCLUSIVE), *PASSED, waivers=[waiver()]).outcome == "review"


def test_on_a_first_release_the_policy_still_has_the_last_word():
    """`first_release: block` cannot be waived."""
    strict = TERMS.model_copy(update={"first_release": "block"})
    assert decided(result(), *PASSED, waivers=[waiver()], has_champion=False, terms=strict).outcome == "block"


def test_of_two_waivers_the_one_that_holds_longest_is_recorded():
    """One answer a result."""
    longer = waiver(expires=NOW + timedelta(days=20))
    assert decided(result(), *PASSED, waivers=[waiver(), longer, waiver()]).waivers == (longer,)


@given(
    st.lists(st.sampled_from(list(Status)), min_size=2, max_size=2),
    st.lists(st.sampled_from(["auc-floor", "slow"]), max_size=2),
)
def test_no_waiver_ever_makes_a_release_ride_through(statuses, rules):
    """Whatever is waived, a decision that rests on a waiver is a review at best; any other is as without."""
    results = [result("auc-floor", status=statuses[0]), result("slow", "a", statuses[1]), result("watched")]
    plain, waived = decided(*results), decided(*results, waivers=[waiver(rule=one) for one in rules])
    assert waived.outcome != "promote" if waived.waivers else waived == plain


def test_before_the_channel_moves_each_waiver_is_proven_again():
    """The one that holds no longer is named, with the reason."""
    require_waivers([waiver()], TERMS, [ROSTER], FakeSignatures(), author="ann.author", at=until(0))
    with pytest.raises(ApprovalError, match=r"waiver of `auc-floor` by ada\.risk holds no longer: it has expired"):
        require_waivers([waiver()], TERMS, [ROSTER], FakeSignatures(), author="ann.author", at=until(1))
