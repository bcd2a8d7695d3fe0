"""What an audit reads through, and how a step of it becomes a finding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gatewright.core.audit import Finding, FindingStatus, UnprovenError
from gatewright.core.errors import (
    ConflictError,
    GatewrightError,
    IntegrityError,
    NotFoundError,
    SigningError,
    StoreError,
    TargetError,
)
from gatewright.core.governed import ROSTER_NAME, DocumentKind
from gatewright.core.in_force import InForce
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.services.blobs import BlobStore
from gatewright.services.channel_store import ChannelStore
from gatewright.services.clock import utc_now
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.governance import Governance
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.pipeline_keys import PipelineKeys
from gatewright.services.releases import Releases
from gatewright.services.rollback_records import RollbackRecords
from gatewright.services.snapshot import BlobsReadOnce, Snapshot
from gatewright.services.store import ObjectStore

__all__ = ["AuditedStore", "counted", "step"]


class _VerifiedOnce:
    """The same signature is asked for in several steps and under several rosters; ssh-keygen takes 10 ms for each."""

    def __init__(self, verifier: SignatureVerifier) -> None:
        self._verifier = verifier
        self._known: dict[tuple[bytes, bytes, str, tuple[str, ...]], str | None] = {}

    def signer(self, message: bytes, signature: bytes, *, namespace: str, keys: Sequence[str]) -> str | None:
        asked = (message, signature, namespace, tuple(keys))
        if asked not in self._known:
            self._known[asked] = self._verifier.signer(message, signature, namespace=namespace, keys=keys)
        return self._known[asked]


@dataclass(frozen=True)
class AuditedStore:
    """A store read by fresh objects: nothing that was read or verified before counts."""

    records: Snapshot
    evidence: EvidenceStore
    ledger: LedgerStore
    channels: ChannelStore
    releases: Releases
    governance: Governance
    pipeline: PipelineKeys
    blobs: BlobsReadOnce
    rollback_records: RollbackRecords
    signatures: SignatureVerifier

    @classmethod
    def over(cls, records: ObjectStore, blobs: BlobStore, signatures: SignatureVerifier) -> "AuditedStore":
        """As the store is from now on."""
        signatures = _VerifiedOnce(signatures)
        snapshot, once = Snapshot(records), BlobsReadOnce(blobs)
        evidence, ledger = EvidenceStore(snapshot), LedgerStore(snapshot)
        governance = Governance(snapshot, signatures, utc_now)
        return cls(
            records=snapshot,
            evidence=evidence,
            ledger=ledger,
            channels=ChannelStore(snapshot),
            releases=Releases(evidence, ledger, once, utc_now),
            governance=governance,
            pipeline=PipelineKeys(governance),
            blobs=once,
            rollback_records=RollbackRecords(snapshot),
            signatures=signatures,
        )

    def roster(self, at: datetime) -> Roster:
        """The roster that was in force then. Raises UnprovenError when none was, IntegrityError, StoreError."""
        return self.in_force("roster", ROSTER_NAME, at).roster

    def in_force(self, kind: DocumentKind, name: str, at: datetime) -> InForce:
        """The version that was in force then. Raises as `roster`."""
        found = self.governance.as_of(kind, name, at)
        if found is None:
            raise UnprovenError(
                f"no {kind} was in force on {at:%Y-%m-%d %H:%M}.",
                where=kind,
                remedy=f"nothing that was signed then can be proven; see which versions of the {kind} the chain has.",
            )
        return found


def step(check: str, subject: str, prove: Callable[[], str]) -> Finding:
    """What came of one step: ``prove`` says in a sentence what it found, or raises."""
    try:
        return Finding(check=check, subject=subject, status="ok", detail=prove())
    except GatewrightError as error:
        return Finding(
            check=check,
            subject=subject,
            status=_status(error),
            detail=f"{error.problem} ({error.where})",
            remedy=error.remedy,
        )


def counted(number: int, thing: str) -> str:
    """``1 entry``, ``2 entries``."""
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{number} {thing if number == 1 else plural}"


def _status(error: GatewrightError) -> FindingStatus:
    """Unproven, when the error says nothing about what was audited: the store is silent, or ssh-keygen is missing."""
    if isinstance(error, IntegrityError | NotFoundError | ConflictError):
        return "broken"
    return "unproven" if isinstance(error, UnprovenError | StoreError | SigningError | TargetError) else "broken"
