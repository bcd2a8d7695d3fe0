"""An answer counts only by the roster of the release and by the one in force now."""

from datetime import date, timedelta
from types import SimpleNamespace

from gatewright.core.statements import Answer
from tasks.approve import _verified
from tests.core.examples import NOW, request, roster
from tests.fakes import FakeSignatures

ANSWER = Answer(decision="approve", approver="dana.reyes", reason="The evidence is sound.", token="none")


def verified(*, pinned=None, in_force=None, at=NOW + timedelta(minutes=5)):
    releases = SimpleNamespace(approvals=lambda _: (), roster=lambda _: pinned or roster())
    services = SimpleNamespace(
        releases=releases, roster=lambda: in_force or roster(), now=lambda: at, signatures=FakeSignatures()
    )
    return _verified(services, SimpleNamespace(release_id="example-1"), request(), ANSWER, None)


def without_dana(**changes):
    people = [p.model_copy(update=changes) if p.id == "dana.reyes" else p for p in roster().people]
    return roster().model_copy(update={"people": tuple(people)})


def test_a_person_of_both_rosters_may_approve():
    """The usual case."""
    assert verified().approval.principal == "dana.reyes"


def test_somebody_who_left_since_the_release_opened_cannot_approve():
    """The pinned roster still knows her; the one in force says that she has left."""
    left = without_dana(left=date(2026, 3, 1))
    assert "not active" in verified(in_force=left).refusal


def test_somebody_who_got_the_role_only_since_cannot_approve():
    """A roster that was changed while people think does not make approvers for a running release."""
    other_role = without_dana(roles=("data-scientist",))
    assert "no role" in verified(pinned=other_role).refusal


def test_an_answer_after_the_window_is_refused():
    """Whatever it says."""
    assert verified(at=NOW + timedelta(hours=2)).approval is None
