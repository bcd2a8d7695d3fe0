"""Right before the channel moves, each waiver that the decision rests on is proven again."""

from datetime import timedelta
from pathlib import Path

import pytest

from gatewright.core.decision import Decision
from gatewright.core.errors import ApprovalError
from gatewright.core.signatures import WAIVER
from gatewright.core.statements import Answer
from gatewright.core.tokens import token_of
from gatewright.core.waivers import WAIVER_KIND, Waiver, WaiverStatement
from gatewright.services.promotion import promote
from gatewright.services.ssh_signatures import SshSigner
from tests.services.reports.example_view import NOON
from tests.services.waiting_release import SIGNED, WaitingRelease

TYPED = SIGNED.model_copy(update={"risk": "low", "assurance": "declared"})


class Waived(WaitingRelease):
    """Its decision rests on a waiver by Sam until an hour from now, and it is approved."""

    def record(self, name, record):
        if isinstance(record, Decision):
            record = record.model_copy(update={"waivers": (self.waiver(),)})
        return super().record(name, record)

    def waiver(self) -> Waiver:
        said = WaiverStatement(
            kind=WAIVER_KIND,
            model="triage",
            rule="feature-drift",
            slice="*",
            principal="sam.okafor",
            reason="The new sensors arrive in May.",
            issued=NOON,
            expires=NOON + timedelta(hours=1),
        )
        body = said.to_bytes()
        token = token_of(body, SshSigner(self.people.keys["sam.okafor"]).sign(body, namespace=WAIVER))
        return Waiver(statement=said, role="compliance-officer", assurance="signed", token=token)

    def promote(self) -> str:
        services = self.services()
        moved = promote(
            services.releases,
            services.deployment,
            self.opening,
            self.data,
            self.candidate,
            self.request,
            rosters=(services.releases.roster(self.opening), services.roster()),
            signatures=services.signatures,
            now=services.now,
        )
        return moved.action

    def approve(self) -> None:
        answer = Answer(decision="approve", approver="dana.reyes", reason="Better for all groups.", token="none")
        self.prefect.resumed(*list(self.prefect.paused)[:1], answer.model_dump())


@pytest.fixture
def waived(tmp_path: Path) -> Waived:
    """Approved while the waiver held."""
    release = Waived(tmp_path, TYPED)
    release.approve()
    return release


def test_a_waiver_that_holds_lets_the_approved_release_go_on(waived: Waived):
    """To the second in which it ends."""
    waived.book.now = NOON + timedelta(hours=1)
    assert waived.promote() == "confirm"


def test_a_waiver_that_ended_after_the_approval_stops_the_promotion(waived: Waived):
    """By one second; nothing has moved."""
    waived.book.now = NOON + timedelta(hours=1, seconds=1)
    with pytest.raises(ApprovalError, match=r"waiver of `feature-drift` by sam\.okafor holds no longer"):
        waived.promote()
    assert waived.services().channels.head("triage", "production") is None


def test_a_waiver_whose_signer_lost_the_key_stops_the_promotion(waived: Waived):
    """The roster in force says so, whatever the pinned one says."""
    file = waived.people.roster
    key = SshSigner(waived.people.keys["sam.okafor"]).public_key
    text = file.read_text().replace("version: 1", "version: 2")
    file.write_text(text.replace(f"key: {key}\n", f"key: {key}\n    revoked: '2026-03-02T12:00:00Z'\n"))
    with pytest.raises(ApprovalError, match="nobody has revoked"):
        waived.promote()
