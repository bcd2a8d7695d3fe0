"""The verdict on a release as an envelope in the store: the evidence record ``attestation`` says where it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gatewright.core.attestation import PAYLOAD_TYPE, verification_summary
from gatewright.core.records import Record
from gatewright.core.refs import ArtifactRef
from gatewright.core.releases import Opening
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.services.blobs import BlobStore
from gatewright.services.dsse import DsseSigner
from gatewright.services.releases import Releases

__all__ = ["DSSE_MEDIA_TYPE", "Attestation", "Attestations"]

# in-toto Attestation Framework, "Storage": one envelope.
DSSE_MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json"


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
        statement = verification_summary(view, rosters, self.signatures, environment=self.environment, at=at)
        envelope = self.blobs.put(self.signer.envelope(statement, PAYLOAD_TYPE), DSSE_MEDIA_TYPE)
        return self.releases.record("attestation", opening, Attestation(envelope=envelope))
