"""What can be read from a ledger: where each release stands, and which one is open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.ledger import LedgerEntry, open_release, state_of
from gatewright.core.releases import ReleaseState
from tests.core.examples import NOW

FINAL = ("deployed", "rejected", "expired", "blocked", "failed")
OTHER = ("decided", "answer_refused", "approved", "rolled_back", "monitored")


def entries(*events: tuple[str, str]) -> list[LedgerEntry]:
    return [LedgerEntry(kind=kind, release_id=release, actor="gatewright", at=NOW) for release, kind in events]


def test_an_unknown_release_has_no_state():
    """Not even open."""
    assert state_of("r2", entries(("r1", "opened"))) is None
    assert open_release([]) is None


@pytest.mark.parametrize("kind", OTHER)
def test_events_that_are_no_states_change_none(kind):
    """A waiting release waits on."""
    history = entries(("r1", "opened"), ("r1", "waiting"), ("r1", kind))
    assert state_of("r1", history) is ReleaseState.WAITING
    assert open_release(history) == "r1"


@pytest.mark.parametrize("kind", FINAL)
def test_a_release_that_ended_is_open_no_more(kind):
    """Each end frees the model's lock."""
    history = entries(("r1", "opened"), ("r1", kind))
    assert state_of("r1", history) == ReleaseState(kind)
    assert open_release(history) is None


def test_the_first_end_is_the_end():
    """Whatever is appended later, an ended release neither ends otherwise nor opens again."""
    history = entries(("r1", "opened"), ("r1", "expired"), ("r1", "deployed"), ("r1", "opened"))
    assert state_of("r1", history) is ReleaseState.EXPIRED
    assert open_release(history) is None


def test_events_of_an_ended_release_do_not_free_the_lock_of_another():
    """A late event of r1 says nothing of r2."""
    history = entries(("r1", "opened"), ("r1", "failed"), ("r2", "opened"), ("r1", "failed"))
    assert open_release(history) == "r2"


events = st.tuples(st.sampled_from(["r1", "r2", "r3"]), st.sampled_from(["opened", "waiting", *FINAL, *OTHER]))


@given(st.lists(events, max_size=20))
def test_a_release_is_open_exactly_when_its_state_is_not_final(history):
    """The lock and the state never disagree, in any order of events."""
    known = entries(*history)
    states = {release: state_of(release, known) for release in ("r1", "r2", "r3")}
    unfinished = {release for release, state in states.items() if state is not None and not state.final}
    found = open_release(known)
    assert (found in unfinished) if unfinished else found is None


@given(st.lists(events, max_size=20), st.sampled_from(FINAL), events)
def test_no_later_event_changes_an_end(history, end, later):
    """Appending is all that anybody can do to a ledger."""
    ended = entries(*history, ("r1", end))
    assert state_of("r1", [*ended, *entries(later)]) == state_of("r1", ended)
