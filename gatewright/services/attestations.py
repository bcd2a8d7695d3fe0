"""The verdict on a release as an envelope in the store: the evidence record ``attestation`` says where it is.

A release that went live by a break-glass is attested as FAILED when it ends, and once more, in ``attestation-late``,
when as many people as its tier asks for have approved it afterwards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gatewright.core.attestation import PAYLOAD_TYPE, passed, quorum_completed_at, verification_summary
from gatewright.core.break_glass import Emergency
from gatewright.core.records import Record
from gatewright.core.refs import ArtifactRef
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import Opening, ReleaseState
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.services.blobs import BlobStore
from gatewright.services.dsse import DsseSigner
from gatewright.services.releases import Releases

__all__ = ["ATTESTATION", "DSSE_MEDIA_TYPE", "LATE_ATTESTATION", "Attestation", "Attestations"]

# in-toto Attestation Framework, "Storage": one envelope.
DSSE_MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json"
ATTESTATION, LATE_ATTESTATION = "attestation", "attestation-late"


class Attestation(Record):
    """The DSSE envelope of a release."""

    envelope: ArtifactRef


@dataclass(frozen=True)
class Attestations:
    """Attests releases once they have ended; without a ``signer`` none is."""

    releases: Releases
    blobs: BlobStore
    signer: DsseSigner | None
    signatures: SignatureVerifier
    environment: str

    def attest(self, opening: Opening, rosters: Sequence[Roster], *, at: datetime) -> Attestation | None:
        """Write the envelope once; a second call gives the first one's. Raises StoreError, SigningError."""
        if self.signer is None:
            return None
        view = self.releases.view(opening.release_id)
        statement = self._statement(view, self._emergency(view), rosters, at)
        return self._recorded(ATTESTATION, opening, self.signer, statement)

    def attest_late(
        self, opening: Opening, roster_at: Callable[[datetime], Roster], *, at: datetime
    ) -> Attestation | None:
        """Write a second envelope once a release that went live by a break-glass has its quorum; None before.

        ``roster_at`` gives the roster that was in force when the last of them approved. Raises StoreError,
        SigningError.
        """
        if self.signer is None:
            return None
        view = self.releases.view(opening.release_id)
        emergency = self._emergency(view)
        if emergency is None or view.state is not ReleaseState.DEPLOYED:
            return None
        completed = quorum_completed_at(view, emergency)
        if completed is None:
            return None
        rosters = (self.releases.roster(opening), roster_at(completed))
        statement = self._statement(view, emergency, rosters, at)
        # Approvals that somebody planted complete nothing.
        return self._recorded(LATE_ATTESTATION, opening, self.signer, statement) if passed(statement) else None

    def _emergency(self, view: ReleaseView) -> Emergency | None:
        return self.releases.emergency(view.request) if view.request else None

    def _statement(
        self, view: ReleaseView, emergency: Emergency | None, rosters: Sequence[Roster], at: datetime
    ) -> bytes:
        return verification_summary(
            view, rosters, self.signatures, environment=self.environment, at=at, emergency=emergency
        )

    def _recorded(self, name: str, opening: Opening, signer: DsseSigner, statement: bytes) -> Attestation:
        envelope = self.blobs.put(signer.envelope(statement, PAYLOAD_TYPE), DSSE_MEDIA_TYPE)
        return self.releases.record(name, opening, Attestation(envelope=envelope))
