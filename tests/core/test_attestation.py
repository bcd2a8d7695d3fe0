"""The verdict as an in-toto statement: PASSED is said only of what a quorum approved, and of exactly that."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gatewright.core.approval import accept
from gatewright.core.attestation import must_attest, verification_summary
from gatewright.core.errors import IntegrityError
from gatewright.core.release_view import ReleaseView
from gatewright.core.statements import Answer, Approval
from tests.core.examples import roster
from tests.fakes import FakeSignatures
from tests.services.reports.example_view import MODEL, NOON, ROOT, counted, example_view, stage

AT = NOON + timedelta(hours=1, microseconds=5)
ROSTERS = (roster(),)
SIGNATURES = FakeSignatures()


def approval(view: ReleaseView, decision: str = "approve", *, by: str = "dana.reyes") -> Approval:
    assert view.request
    answer = Answer(decision=decision, approver=by, reason="The evidence is sound.", token="none")
    return accept(answer, view.request, ROSTERS, SIGNATURES, pause=None, at=AT)


def approved(view: ReleaseView | None = None) -> ReleaseView:
    view = view or example_view()
    return replace(view, approvals=(approval(view),))


def summary(view: ReleaseView, *, environment: str = "production", at=AT) -> dict:
    statement: dict = json.loads(verification_summary(view, ROSTERS, SIGNATURES, environment=environment, at=at))
    return statement


def result(view: ReleaseView, **more) -> tuple[str, list[str]]:
    predicate = summary(view, **more)["predicate"]
    return predicate["verificationResult"], predicate["verifiedLevels"]


def test_an_approved_release_is_attested_in_the_published_form() -> None:
    """Field by field as the two specifications name them, and nothing more."""
    view = approved()
    assert view.data
    assert view.request
    assert summary(view) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "triage", "digest": {"sha256": MODEL}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": "gatewright:pipeline"},
            "timeVerified": "2026-03-02T13:00:00.000005Z",
            "resourceUri": "gatewright:channel/triage/production",
            "policy": {"uri": "gatewright:policy/triage/3", "digest": {"sha256": "2" * 64}},
            "inputAttestations": [
                {"uri": "gatewright:release/triage-2000-1/evidence", "digest": {"sha256": ROOT}},
                {
                    "uri": "gatewright:release/triage-2000-1/data/training",
                    "digest": {"sha256": view.data.training.digest},
                },
                {
                    "uri": "gatewright:release/triage-2000-1/data/evaluation",
                    "digest": {"sha256": view.data.evaluation.digest},
                },
                {"uri": "gatewright:release/triage-2000-1/request", "digest": {"sha256": view.request.digest}},
                {"uri": "gatewright:release/triage-2000-1/approval/1", "digest": {"sha256": view.approvals[0].digest}},
            ],
            "verificationResult": "PASSED",
            "verifiedLevels": ["GATEWRIGHT_APPROVED_DECLARED"],
            "slsaVersion": "1.1",
        },
    }


def test_no_slsa_level_is_claimed() -> None:
    """Custom levels may not begin with SLSA_, and a build level is not what was verified."""
    assert not any(level.startswith("SLSA_") for level in result(approved())[1])


def test_the_same_verdict_gives_the_same_bytes() -> None:
    """Canonical JSON: an attestation that is made again after a crash is the same one."""
    view = approved()
    made = [verification_summary(view, ROSTERS, SIGNATURES, environment="production", at=AT) for _ in range(2)]
    assert made[0] == made[1]


def test_a_release_that_nobody_approved_fails() -> None:
    """A good decision alone is no leave."""
    assert result(example_view()) == ("FAILED", ["FAILED"])


def test_a_rejected_release_fails() -> None:
    """One rejection outweighs."""
    view = example_view()
    assert result(replace(view, approvals=(approval(view, "reject"),))) == ("FAILED", ["FAILED"])


def test_a_blocked_release_fails_though_somebody_approved_it() -> None:
    """Approvals cannot lift a decision."""
    blocked = example_view({"validate": stage("validate", counted("failed_critical_expectations", 1, "training"))})
    assert blocked.decision
    assert blocked.decision.outcome == "block"
    good = approved()
    assert good.decision
    assert result(blocked) == ("FAILED", ["FAILED"])
    forged = good.decision.model_copy(update={"outcome": "block"})
    assert result(replace(good, decision=forged)) == ("FAILED", ["FAILED"])


def test_a_tier_that_asks_nobody_passes_on_its_own() -> None:
    """And the level says so."""
    view = example_view()
    assert view.request
    tier = view.request.tier.model_copy(update={"approvals": 0})
    alone = replace(view, request=view.request.model_copy(update={"tier": tier}))
    assert result(alone) == ("PASSED", ["GATEWRIGHT_AUTOMATIC"])


def test_what_passed_for_one_environment_does_not_pass_for_another() -> None:
    """The resource names the environment, and people were asked about one."""
    assert result(approved(), environment="staging") == ("FAILED", ["FAILED"])
    assert summary(approved(), environment="staging")["predicate"]["resourceUri"] == "gatewright:channel/triage/staging"


@pytest.mark.parametrize(
    "changed",
    [
        {"model_sha256": "e" * 64},
        {"evidence_root": "e" * 64},
        {"policy_sha256": "e" * 64},
        {"release_id": "triage-2000-2"},
        {"environment": "staging"},
    ],
)
def test_an_approval_of_anything_else_does_not_pass(changed: dict[str, str]) -> None:
    """A quorum for another request is no quorum for this release."""
    view = example_view()
    assert view.request
    assert result(approved(replace(view, request=view.request.model_copy(update=changed)))) == ("FAILED", ["FAILED"])


def test_a_decision_for_another_tier_or_policy_does_not_pass() -> None:
    """The people of the tier must be the ones that this decision asks for."""
    view = approved()
    assert view.decision
    for change in ({"tier": "elevated"}, {"policy_sha256": "e" * 64}):
        other = replace(view, decision=view.decision.model_copy(update=change))
        assert result(other) == ("FAILED", ["FAILED"])


def test_a_policy_that_was_not_pinned_at_the_opening_does_not_pass() -> None:
    """Decision and request agree on a policy, but the release was opened under another."""
    view = approved()
    other = view.opening.model_copy(update={"policy": view.opening.spec})
    assert result(replace(view, opening=other)) == ("FAILED", ["FAILED"])


def test_an_approval_that_no_longer_holds_does_not_pass() -> None:
    """Proven again as of the time of the attestation: the window is over."""
    assert result(approved(), at=NOON + timedelta(hours=73)) == ("FAILED", ["FAILED"])


@pytest.mark.parametrize("missing", ["candidate", "decision"])
def test_an_undecided_release_is_not_attested(missing: str) -> None:
    """There is no verdict yet."""
    with pytest.raises(IntegrityError, match="not been decided"):
        summary(replace(approved(), **{missing: None}))


def test_an_attestation_is_held_against_the_release() -> None:
    """It is computed again as of its own time; any other word in it is found."""
    view = approved()
    payload = verification_summary(view, ROSTERS, SIGNATURES, environment="production", at=AT)
    assert must_attest(payload, view, ROSTERS, SIGNATURES, environment="production") == AT
    failed = payload.replace(b"DECLARED", b"SIGNED")
    for other in (failed, payload + b" ", b"{}", b"[" * 100_000, b"\xff", payload.replace(b"05Z", b"05")):
        with pytest.raises(IntegrityError):
            must_attest(other, view, ROSTERS, SIGNATURES, environment="production")
    with pytest.raises(IntegrityError, match="something else"):
        must_attest(payload, replace(view, approvals=()), ROSTERS, SIGNATURES, environment="production")
