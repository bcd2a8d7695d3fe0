"""Only a clear answer by somebody who may give it becomes an approval."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.approval import accept
from gatewright.core.errors import ApprovalError
from gatewright.core.statements import Answer
from tests.core.examples import NOW, request, roster
from tests.fakes import FakeSignatures

CLEAR = {"decision": "approve", "approver": "dana.reyes", "reason": "The evidence is sound.", "token": "none"}


def accepted(**changes):
    return answered(Answer(**{**CLEAR, **changes}), at=NOW + timedelta(minutes=5))


def answered(answer, *, at=NOW, earlier=()):
    return accept(answer, request(), [roster()], FakeSignatures(), pause=None, at=at, earlier=earlier)


def test_a_clear_answer_is_an_approval_bound_to_the_request():
    """It names who, in which role, and exactly what was asked; the name is only declared."""
    approval = accepted()
    assert (approval.decision, approval.principal, approval.role) == ("approve", "dana.reyes", "release-manager")
    assert approval.request == request().digest
    assert approval.assurance == "declared"


def test_an_answer_after_the_window_is_refused_and_one_at_its_end_is_not():
    """To the second."""
    answer, asked = Answer(**CLEAR), request()
    assert answered(answer, at=asked.expires_at).decision == "approve"
    with pytest.raises(ApprovalError, match="window"):
        answered(answer, at=asked.expires_at + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"decision": ""}, "neither approve nor reject"),
        ({"decision": "yes"}, "neither approve nor reject"),
        ({"approver": ""}, "is not in version 1 of the roster"),
        ({"approver": "nobody.known"}, "is not in version 1 of the roster"),
        ({"approver": "dana\u202e.reyes"}, r"'dana\\u202e\.reyes' is not in"),
        ({"approver": "lou.gone"}, "not active"),
        ({"approver": "kim.larsen"}, "no role"),
        ({"approver": "ann.author"}, "author"),
        ({"reason": "           ok          "}, "too short"),
    ],
)
def test_anything_else_is_refused_with_a_reason(changes, problem):
    """An empty or wrong answer never approves, and says what to write instead."""
    with pytest.raises(ApprovalError, match=problem):
        accepted(**changes)


def test_without_a_roster_nobody_is_known():
    """Then nobody approves, whoever they say they are."""
    with pytest.raises(ApprovalError, match="no roster"):
        accept(Answer(**CLEAR), request(), [], FakeSignatures(), pause=None, at=NOW)


def test_nobody_counts_twice():
    """A quorum needs distinct people."""
    first = accepted()
    with pytest.raises(ApprovalError, match="answered already"):
        answered(Answer(**CLEAR), earlier=[first])


def test_a_rejection_is_a_clear_answer_too():
    """Rejecting is bound to a person and a reason as well."""
    assert accepted(decision="reject").decision == "reject"


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_random_text_never_approves(decision, approver, reason):
    """Whatever is typed, only a roster id with a role gets through."""
    answer = Answer(decision=decision, approver=approver, reason=reason, token="")
    with pytest.raises(ApprovalError):
        answered(answer)
