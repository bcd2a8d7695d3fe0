"""Waivers that were forged, borrowed, stretched or outlived their signer waive nothing."""

from datetime import date, timedelta

import pytest

from gatewright.core.errors import ApprovalError
from gatewright.core.roster import Roster
from gatewright.core.signatures import APPROVAL
from gatewright.core.tokens import parse_token, token_of
from gatewright.core.waivers import accept_waiver, valid_waivers
from tests.core.examples import NOW
from tests.core.owners import person, signer
from tests.core.waiver_examples import ROSTER, TERMS, waiver, waiver_statement, waiver_token
from tests.fakes import FakeSignatures


def accepted(token, *rosters, at=NOW):
    return accept_waiver(token, TERMS, rosters or (ROSTER,), FakeSignatures(), at=at)


def holds(found, *rosters, at=NOW):
    return valid_waivers([found], TERMS, rosters or (ROSTER,), FakeSignatures(), author="kim.larsen", at=at)


def roster_with(**changes):
    people = [one for one in ROSTER.people if one.id != "ada.risk"]
    return Roster(version=2, people=(person("ada.risk", **changes), *people))


def test_signed_by_somebody_else():
    """A name in the bytes proves nothing without that person's key."""
    with pytest.raises(ApprovalError, match="not signed by a key of ada"):
        accepted(waiver_token(signer("eve.risk")))


def test_an_approval_is_no_waiver():
    """A signature for one purpose is none for another."""
    with pytest.raises(ApprovalError, match="not signed by a key of ada"):
        accepted(waiver_token(namespace=APPROVAL))


def test_the_signature_of_one_waiver_under_the_words_of_another():
    """Longer, wider, for another rule: the bytes are what is signed."""
    signature = parse_token(waiver_token()).signature
    for changes in ({"expires": NOW + timedelta(days=29)}, {"rule": "slow"}):
        with pytest.raises(ApprovalError, match="not signed by a key of ada"):
            accepted(token_of(waiver_statement(**changes).to_bytes(), signature))


@pytest.mark.parametrize("change", [b' "x":1,', b" "])
def test_a_body_that_is_not_canonical(change):
    """One meaning has one form, so that nothing hides beside what is shown."""
    body = waiver_statement().to_bytes()
    odd = body[:1] + change + body[1:]
    with pytest.raises(ApprovalError, match="no canonical WaiverStatement"):
        accepted(token_of(odd, signer("ada.risk").sign(odd, namespace="waiver@gatewright")))


def test_the_signer_left():
    """By the roster in force, whatever the one pinned at opening says."""
    gone = roster_with(left=NOW.date() - timedelta(days=1))
    assert holds(waiver(), ROSTER)
    assert not holds(waiver(), ROSTER, gone)


def test_the_key_was_revoked_after_it_signed():
    """From that moment on the waiver has no effect."""
    revoked = roster_with(revoked=NOW + timedelta(hours=1))
    assert holds(waiver(), revoked)
    assert not holds(waiver(), revoked, at=NOW + timedelta(hours=1))


def test_the_signer_had_not_joined_when_the_release_opened():
    """Both rosters must know the person and the key."""
    before = Roster(version=1, people=(person("eve.risk"),))
    assert not holds(waiver(), before, ROSTER)


def test_a_record_that_was_edited_beside_its_token():
    """What the chain's record claims counts for nothing: a stretched expiry, another slice."""
    for changes in ({"expires": NOW + timedelta(days=29)}, {"rule": "slow"}):
        edited = waiver().model_copy(update={"statement": waiver_statement(**changes)})
        assert not holds(edited)


def test_a_backdated_waiver_gains_no_time():
    """The longest time counts from the day that was signed."""
    with pytest.raises(ApprovalError, match="does not expire within 30 days"):
        accepted(waiver_token(issued=NOW - timedelta(days=25), expires=NOW + timedelta(days=10)))


def test_the_roster_of_a_later_day_does_not_revive_it():
    """A new key of the same person signs new waivers, and proves no old one."""
    renewed = Roster(version=3, people=(person("ada.risk", keys=2, revoked=NOW - timedelta(days=1)),))
    assert not holds(waiver(), renewed)
    assert date(2024, 1, 1) == renewed.people[0].keys[1].added
