"""What is attested of a release that one person let go on alone: not that it passed, until the others have approved."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gatewright.core.approval import accept
from gatewright.core.attestation import BREAK_GLASS_FIELD, must_attest, quorum_completed_at, verification_summary
from gatewright.core.break_glass import Emergency, accept_break_glass, break_glass_statement
from gatewright.core.policy import BreakGlass
from gatewright.core.release_view import ReleaseView
from gatewright.core.roster import Roster
from gatewright.core.signatures import BREAK_GLASS
from gatewright.core.statements import Answer, Approval
from gatewright.core.tokens import token_of
from tests.core.owners import person, signer
from tests.fakes import FakeSignatures
from tests.services.reports.example_view import NOON, example_view

PEOPLE = ("ada.risk", "ben.risk", "cem.risk")
ROSTERS = (Roster(version=1, people=tuple(person(name) for name in PEOPLE)),)
SIGNATURES = FakeSignatures()
BROKEN, ENDED, HOUR = NOON + timedelta(hours=1), NOON + timedelta(hours=2), timedelta(hours=1)


def night() -> ReleaseView:
    """Two people of the role must approve; one may break the glass for a day."""
    view = example_view()
    assert view.request
    tier = view.request.tier.model_copy(update={"approvals": 2, "roles": ("risk",)})
    policy = view.policy.model_copy(update={"break_glass": BreakGlass(roles=("risk",), hours=24)})
    return replace(view, policy=policy, request=view.request.model_copy(update={"tier": tier}))


VIEW = night()


def emergency(**changes: object) -> Emergency:
    assert VIEW.request
    said = break_glass_statement(
        VIEW.request, VIEW.policy, principal="ada.risk", reason="The model fails on every request.", issued=BROKEN
    ).to_bytes()
    token = token_of(said, signer("ada.risk").sign(said, namespace=BREAK_GLASS))
    found = accept_break_glass(token, VIEW.request, VIEW.policy, ROSTERS, SIGNATURES, at=BROKEN)
    return found.model_copy(update=changes)


def approval(by: str, at: datetime) -> Approval:
    assert VIEW.request
    answer = Answer(decision="approve", approver=by, reason="It was right to.", token="none")
    return accept(answer, VIEW.request, ROSTERS, SIGNATURES, pause=None, at=at)


def statement(*approvals: Approval, at: datetime, broken: Emergency | None) -> bytes:
    view = replace(VIEW, approvals=approvals)
    return verification_summary(view, ROSTERS, SIGNATURES, environment="production", at=at, emergency=broken)


def predicate(*approvals: Approval, at: datetime = ENDED, broken: Emergency | None = None) -> dict:
    found: dict = json.loads(statement(*approvals, at=at, broken=broken or emergency()))["predicate"]
    return found


def verdict(found: dict) -> tuple[str, Sequence[str]]:
    return found["verificationResult"], found["verifiedLevels"]


def test_one_person_alone_is_no_pass_and_is_named() -> None:
    """SLSA 1.1: FAILED is what did not pass the policy; an extension field has a URI for a name."""
    found = predicate()
    assert verdict(found) == ("FAILED", ["FAILED"])
    assert found[BREAK_GLASS_FIELD] == {
        "principal": "ada.risk",
        "role": "risk",
        "at": "2026-03-02T13:00:00Z",
        "expires": "2026-03-03T13:00:00Z",
    }
    digest = {"sha256": emergency().digest}
    assert found["inputAttestations"][-1] == {"uri": "gatewright:release/triage-2000-1/break-glass", "digest": digest}


def test_the_quorum_that_comes_later_is_a_pass_that_still_names_who_broke_the_glass() -> None:
    """One of two is not yet one."""
    first, second = approval("ada.risk", ENDED), approval("ben.risk", ENDED + HOUR)
    assert verdict(predicate(first, at=ENDED + HOUR)) == ("FAILED", ["FAILED"])
    found = predicate(first, second, at=ENDED + 2 * HOUR)
    assert verdict(found) == ("PASSED", ["GATEWRIGHT_APPROVED_DECLARED"])
    assert found[BREAK_GLASS_FIELD]["principal"] == "ada.risk"


def test_the_quorum_counts_as_of_its_last_answer_however_late_it_is_attested() -> None:
    """Both approved in time; the sweep that attests it may come when the window is over."""
    assert VIEW.request
    end = VIEW.request.expires_at
    both = approval("ben.risk", end - HOUR), approval("cem.risk", end)
    assert quorum_completed_at(replace(VIEW, approvals=both), emergency()) == end
    assert verdict(predicate(*both, at=end + 24 * HOUR))[0] == "PASSED"


def test_an_emergency_that_ended_without_approvals_stays_failed() -> None:
    """It serves on, until somebody rolls it back; that is no pass either."""
    found = predicate(at=BROKEN + 48 * HOUR)
    assert verdict(found) == ("FAILED", ["FAILED"])
    assert found[BREAK_GLASS_FIELD]["expires"] == "2026-03-03T13:00:00Z"


def test_an_emergency_that_nobody_signed_like_that_is_not_named() -> None:
    """A record that somebody edited would else be signed by the pipeline."""
    for changed in ({"principal": "ben.risk"}, {"expires": BROKEN + 99 * HOUR}, {"request": "e" * 64}):
        found = predicate(broken=emergency(**changed))
        assert BREAK_GLASS_FIELD not in found
        assert not any("break-glass" in one["uri"] for one in found["inputAttestations"])


def test_what_was_attested_before_stays_true_after_the_quorum_came() -> None:
    """Held against the release as of its own time; the words of another moment are not taken for it."""
    both = approval("ada.risk", ENDED + HOUR), approval("ben.risk", ENDED + 2 * HOUR)
    view = replace(VIEW, approvals=both)
    early, late = (statement(*both, at=at, broken=emergency()) for at in (ENDED, ENDED + 3 * HOUR))
    for payload, at in ((early, ENDED), (late, ENDED + 3 * HOUR)):
        held = must_attest(payload, view, ROSTERS, SIGNATURES, environment="production", emergency=emergency())
        assert held == at
    assert [json.loads(one)["predicate"]["verificationResult"] for one in (early, late)] == ["FAILED", "PASSED"]
