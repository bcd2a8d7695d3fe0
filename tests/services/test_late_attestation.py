"""A quorum that comes after the glass was broken: attested once, when it is there and proven, by the next sweep."""

import json
from pathlib import Path

import pytest

from gatewright.core.attestation import BREAK_GLASS_FIELD, PAYLOAD_TYPE
from gatewright.core.releases import Opening
from gatewright.core.statements import Request
from gatewright.services.attestations import ATTESTATION, LATE_ATTESTATION, Attestation
from gatewright.services.dsse import opened_envelope
from gatewright.services.overdue import Overdue
from gatewright.services.release_records import AnswerRecord
from tests.services.audit_world import CHANNEL, MODEL, OWNER, AuditWorld
from tests.services.emergencies import break_glass, with_break_glass


class Night:
    """The owner let a release go live alone; two release managers have yet to approve it."""

    def __init__(self, folder: Path) -> None:
        (folder / "keys").mkdir()
        self.world = AuditWorld(folder, folder / "keys")
        self.world.govern(with_break_glass(self.world.policy))
        self.opening: Opening = self.world.open("r1")
        self.request: Request = self.world.ask(self.opening)
        break_glass(self.world, self.opening, self.request)
        self.world.deploy(self.opening, self.request)

    def sweep(self) -> list[str]:
        """The releases that were attested again."""
        services = self.world.process()
        overdue = Overdue(
            services.releases, services.ledger, services.evidence, services.channels, CHANNEL, services.now
        )
        return [
            opening.release_id
            for opening in overdue.unattested(MODEL)
            if services.attestations.attest_late(opening, lambda at: self.world.roster, at=services.now())
        ]

    def said(self) -> list[dict]:
        """The predicates of the envelopes, in the order in which they were made."""
        services = self.world.process()
        records = (services.evidence.find(name, "r1", Attestation) for name in (ATTESTATION, LATE_ATTESTATION))
        keys = [self.world.signer("pipeline").public_key]
        bodies = [services.blobs.get(one.envelope) for one in records if one]
        return [json.loads(opened_envelope(body, PAYLOAD_TYPE, keys, where="r1"))["predicate"] for body in bodies]

    def verdicts(self) -> list[str]:
        return [predicate["verificationResult"] for predicate in self.said()]


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def test_it_is_attested_as_failed_and_once_more_as_passed_when_the_quorum_is_there(night: Night):
    """By two envelopes of the pipeline's, which both name who broke the glass; one of two people is not enough."""
    assert (night.sweep(), night.verdicts()) == ([], ["FAILED"])
    night.world.answer(night.opening, night.request, 2, "dana.reyes")
    assert (night.sweep(), night.verdicts()) == ([], ["FAILED"])
    night.world.answer(night.opening, night.request, 3, "lee.wong")
    assert [night.sweep() for _ in range(2)] == [["r1"], []]
    assert night.verdicts() == ["FAILED", "PASSED"]
    assert [predicate[BREAK_GLASS_FIELD]["principal"] for predicate in night.said()] == [OWNER, OWNER]
    assert night.said()[1]["verifiedLevels"] == ["GATEWRIGHT_APPROVED_SIGNED"]


def test_approvals_that_somebody_planted_complete_nothing(night: Night):
    """As many records as the tier asks for, one without a proof: nothing is attested a second time."""
    night.world.answer(night.opening, night.request, 2, "dana.reyes")
    services = night.world.process()
    forged = services.releases.approvals("r1")[0].model_copy(update={"principal": "lee.wong"})
    services.evidence.write("answer-3", "r1", AnswerRecord(approval=forged, refusal=None))
    assert (night.sweep(), night.verdicts()) == ([], ["FAILED"])


def test_without_a_break_glass_nothing_is_attested_twice(tmp_path: Path):
    """A release with its quorum has said all when it ends."""
    (tmp_path / "keys").mkdir()
    world = AuditWorld(tmp_path, tmp_path / "keys")
    world.govern()
    opening = world.release("r1")
    services = world.process()
    assert services.attestations.attest_late(opening, lambda at: world.roster, at=world.now()) is None
