"""One person in an emergency: what is replaced is the quorum, and nothing else."""

from datetime import timedelta

import pytest

from gatewright.core.break_glass import (
    BreakGlassStatement,
    accept_break_glass,
    break_glass_allows,
    break_glass_statement,
)
from gatewright.core.errors import ApprovalError
from gatewright.core.policy import BreakGlass
from gatewright.core.roster import Roster
from gatewright.core.signatures import APPROVAL, BREAK_GLASS
from gatewright.core.tokens import token_of
from tests.core.examples import NOW, policy, request
from tests.core.owners import person, signer
from tests.fakes import FakeSignatures

TERMS = policy(break_glass=BreakGlass(roles=("risk",), hours=24))
ROSTER = Roster(version=1, people=(person("ada.risk"), person("ann.author")))
REASON = "The model that serves fails on every request."
SOON = NOW + timedelta(minutes=5)


def token(key=None, *, namespace=BREAK_GLASS, asked=None, principal="ada.risk", reason=REASON, issued=NOW, **changes):
    said = break_glass_statement(asked or request(), TERMS, principal=principal, reason=reason, issued=issued)
    body = said.model_copy(update=changes).to_bytes()
    return token_of(body, (key or signer(principal)).sign(body, namespace=namespace))


def accepted(text=None, *, terms=TERMS, rosters=(ROSTER,), at=SOON, asked=None, **changes):
    return accept_break_glass(text or token(**changes), asked or request(), terms, rosters, FakeSignatures(), at=at)


def test_one_person_in_the_role_is_enough():
    """Who, why and until when come from the signed bytes; it lasts as long as the policy says."""
    found = accepted()
    assert (found.principal, found.role, found.reason) == ("ada.risk", "risk", REASON)
    assert (found.expires, found.at) == (NOW + timedelta(hours=24), SOON)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"principal": "ann.author"}, "the author of a candidate cannot"),
        ({"principal": "nobody.known"}, "is not in version 1"),
        ({"reason": "urgent!"}, "too short"),
        ({"issued": NOW - timedelta(minutes=3)}, "signed before it was asked"),
        ({"issued": SOON + timedelta(minutes=3)}, "in the future"),
        ({"expires": NOW + timedelta(hours=25)}, "expires at another time than the policy says"),
        ({"model_sha256": "cd" * 32}, "about another model sha256"),
        ({"nonce": "cd" * 32}, "about another nonce"),
        ({"evidence_root": "cd" * 32}, "about another evidence root"),
        ({"environment": "staging"}, "about another environment"),
        ({"policy_sha256": "cd" * 32}, "about another policy sha256"),
        ({"key": signer("ann.author")}, "not signed by a key of ada"),
        ({"namespace": APPROVAL}, "not signed by a key of ada"),
    ],
)
def test_everything_else_is_asked_as_of_an_approval(changes, problem):
    """Digests, window, clock, roster, key, purpose of the signature; and never the author."""
    with pytest.raises(ApprovalError, match=problem):
        accepted(**changes)


def test_every_digest_of_the_request_is_bound():
    """What a person signs in an emergency names as much as an approval does."""
    asked = set(type(request()).model_fields) - {"tier", "author", "asked_at", "expires_at"}
    assert asked <= set(BreakGlassStatement.model_fields)


def test_a_policy_that_does_not_name_it_knows_no_break_glass():
    """Nor does a role that it does not name help."""
    with pytest.raises(ApprovalError, match="knows no break-glass"):
        accepted(terms=policy())
    with pytest.raises(ApprovalError, match="holds no role"):
        accepted(terms=policy(break_glass=BreakGlass(roles=("board",), hours=24)))


def test_the_window_of_the_release_holds_in_an_emergency_too():
    """To the second."""
    end = request().expires_at
    assert accepted(at=end, issued=end)
    with pytest.raises(ApprovalError, match="the window was over"):
        accepted(at=end + timedelta(seconds=1), issued=end)


def test_it_expires_to_the_second():
    """A release whose window is longer than the emergency may not go on under it."""
    long = request(expires_at=NOW + timedelta(hours=72))
    assert accepted(token(asked=long), asked=long, at=NOW + timedelta(hours=24))
    with pytest.raises(ApprovalError, match="it has expired"):
        accepted(token(asked=long), asked=long, at=NOW + timedelta(hours=24, seconds=1))


def test_right_before_the_channel_moves_it_is_proven_again():
    """Somebody who left meanwhile, and a record that was edited, let nothing through."""
    found = accepted()
    break_glass_allows(found, request(), TERMS, [ROSTER], FakeSignatures(), at=SOON + timedelta(minutes=1))
    gone = Roster(version=2, people=(person("ada.risk", left=NOW.date() - timedelta(days=1)),))
    with pytest.raises(ApprovalError, match="not active today"):
        break_glass_allows(found, request(), TERMS, [ROSTER, gone], FakeSignatures(), at=SOON)
    edited = found.model_copy(update={"principal": "ann.author"})
    with pytest.raises(ApprovalError, match="not what its proof says"):
        break_glass_allows(edited, request(), TERMS, [ROSTER], FakeSignatures(), at=SOON)
