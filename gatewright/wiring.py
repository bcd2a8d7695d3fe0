"""``Settings -> Services``: the only place where things are put together."""

import difflib
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from gatewright.core.errors import SpecError
from gatewright.core.governed import ROSTER_NAME
from gatewright.core.in_force import InForce
from gatewright.core.policy import Policy
from gatewright.core.release_view import ReleaseView
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier, Signer
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.attestations import Attestations
from gatewright.services.blobs import BlobStore
from gatewright.services.channel_seals import TrustedSeals
from gatewright.services.channel_store import ChannelStore
from gatewright.services.checkpoints import CheckpointReader, CheckpointWriter
from gatewright.services.clock import utc_now
from gatewright.services.deployment import Deployment
from gatewright.services.documents import Documents
from gatewright.services.dsse import DsseSigner
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.governance import Governance
from gatewright.services.holdout import HoldoutUses
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.log_redaction import redact_logs
from gatewright.services.model_checkpoints import ModelCheckpoints
from gatewright.services.model_probe import ModelProbe
from gatewright.services.pauses import Pauses
from gatewright.services.pipeline_keys import PipelineKeys
from gatewright.services.project_files import ProjectFiles
from gatewright.services.registry import ModelRegistry
from gatewright.services.releases import Releases
from gatewright.services.rollback_records import RollbackRecords
from gatewright.services.rollbacks import Rollbacks
from gatewright.services.scores import Scores
from gatewright.services.ssh_signatures import SshSignatures, SshSigner
from gatewright.services.store import ObjectStore, S3Location, S3Store
from gatewright.services.store_clock import require_one_time
from gatewright.services.store_selftest import check_store
from gatewright.services.targets.base import Target
from gatewright.services.targets.scoring_service import ScoringServiceTarget
from gatewright.services.text_files import read_text
from gatewright.services.waivers import Waivers
from gatewright.settings import Settings

if TYPE_CHECKING:
    # It reads pandas and pyarrow, for which commands that only read releases need not wait.
    from gatewright.services.datasets import Datasets

__all__ = ["Services", "build", "connect", "read_settings", "stores"]


# Who put a version in force that nobody had to sign.
_FILE = "file"

T = TypeVar("T", Policy, Roster)


@dataclass(frozen=True)
class Services:
    """The outside world of one process. ``now`` is its only clock."""

    settings: Settings
    records: ObjectStore
    blobs: BlobStore
    evidence: EvidenceStore
    ledger: LedgerStore
    channels: ChannelStore
    registry: ModelRegistry
    scores: Scores
    holdout: HoldoutUses
    releases: Releases
    deployment: Deployment
    governance: Governance
    pauses: Pauses
    waivers: Waivers
    signatures: SignatureVerifier
    checkpoints: ModelCheckpoints
    attestations: Attestations
    rollback_records: RollbackRecords
    rollbacks: Rollbacks
    now: Callable[[], datetime]

    def view(self, release_id: str) -> ReleaseView:
        """All that is known of a release."""
        return self.releases.view(release_id)

    @property
    def documents(self) -> Documents:
        """Reports and cards of releases."""
        return Documents(self.releases, self.evidence, self.blobs)

    def spec(self, model: str) -> ModelSpec:
        """The model spec as it is on disk now. Raises SpecError for an unknown model, or files outside the project."""
        return self.project_files.spec(self.spec_dir(model) / "model.yaml")

    @property
    def project_files(self) -> ProjectFiles:
        """What specs may name."""
        return ProjectFiles(self.settings.root, self.settings.path(self.settings.models_dir))

    def spec_dir(self, model: str) -> Path:
        """The folder of a model, found among those that exist: a name never becomes a path."""
        folder = self.settings.path(self.settings.models_dir)
        known = {spec.parent.name: spec.parent for spec in sorted(folder.glob("*/model.yaml"))}
        if model in known:
            return known[model]
        nearest = difflib.get_close_matches(model, known, n=1)
        hint = f"did you mean `{nearest[0]}`?" if nearest else f"known models: {', '.join(known) or 'none'}."
        raise SpecError(f"there is no model `{model[:80]}`.", where=str(folder), remedy=hint)

    def datasets(self, model: str) -> "Datasets":
        from gatewright.services.datasets import Datasets

        more = [self.settings.path(folder) for folder in self.settings.data_roots]
        return Datasets(self.blobs, self.spec_dir(model), more=more)

    def policy(self, spec: ModelSpec) -> Policy:
        """The policy in force: the file's, where nobody is named who must sign it.

        Raises SpecError when the file is for another model or changed without a new version, ApprovalError when it
        names owners who have not signed it.
        """
        return self.policy_in_force(spec).policy

    def roster(self) -> Roster:
        """The roster in force; see `policy`."""
        return self.roster_in_force().roster

    def policy_in_force(self, spec: ModelSpec) -> InForce:
        """As `policy`, with the digest under which it is in force."""
        found = self.governance.in_force("policy", spec.name)
        return found if found and found.owned else self._adopted_policy(spec)

    def roster_in_force(self) -> InForce:
        """As `roster`, with the digest under which it is in force."""
        found = self.governance.in_force("roster", ROSTER_NAME)
        if found and found.owned:
            return found
        written = _read(self.settings.path(self.settings.roster), Roster)
        return self.governance.adopt("roster", ROSTER_NAME, written, _FILE)

    def _adopted_policy(self, spec: ModelSpec) -> InForce:
        policy = _read(self.project_files.path("policy", spec.policy), Policy)
        if policy.model != spec.name:
            raise SpecError(
                f"the policy is for `{policy.model}`, not `{spec.name}`.",
                where=spec.policy,
                remedy="name the right policy in model.yaml.",
            )
        return self.governance.adopt("policy", spec.name, policy, _FILE)


def _read(path: Path, kind: type[T]) -> T:
    return parse_yaml(read_text(path, remedy="create the file as UTF-8 text."), kind, where=str(path))


def build(
    settings: Settings,
    *,
    blob_store: ObjectStore,
    record_store: ObjectStore,
    target: Target | None = None,
    signatures: SignatureVerifier | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Services:
    """Put services together over two object stores; tests pass their own."""
    signatures = signatures or SshSignatures()
    blobs = BlobStore(blob_store, settings.path(settings.cache_dir))
    evidence = EvidenceStore(record_store)
    ledger = LedgerStore(record_store)
    registry = ModelRegistry(blobs, ModelProbe())
    governance = Governance(record_store, signatures, now)
    pipeline = PipelineKeys(governance)
    channels = ChannelStore(record_store, TrustedSeals(signatures, pipeline.at, pipeline.named))
    target = target or ScoringServiceTarget(settings.target_url)
    key = settings.path(settings.pipeline_key) if settings.pipeline_key else None
    signer = SshSigner(key) if key else None
    releases = Releases(evidence, ledger, blobs, now)
    deployment = Deployment(channels, target, settings.channel, now, signer)
    taken_back = RollbackRecords(record_store)
    waivers = Waivers(record_store)
    writer = _checkpoints(settings, signatures, pipeline, signer, now)
    return Services(
        settings=settings,
        records=record_store,
        blobs=blobs,
        evidence=evidence,
        ledger=ledger,
        channels=channels,
        registry=registry,
        scores=Scores(record_store, blobs, registry),
        holdout=HoldoutUses(record_store),
        releases=releases,
        deployment=deployment,
        rollback_records=taken_back,
        rollbacks=Rollbacks(
            channels, settings.channel, deployment, evidence, blobs, ledger, now, taken_back, signatures
        ),
        governance=governance,
        pauses=Pauses(record_store),
        waivers=waivers,
        signatures=signatures,
        attestations=Attestations(releases, blobs, DsseSigner(key) if key else None, signatures, settings.channel),
        checkpoints=ModelCheckpoints(writer, ledger, channels, settings.channel, governance, waivers),
        now=now,
    )


def _checkpoints(
    settings: Settings,
    signatures: SignatureVerifier,
    pipeline: PipelineKeys,
    signer: Signer | None,
    now: Callable[[], datetime],
) -> CheckpointWriter | None:
    if settings.checkpoints is None:
        return None
    if signer is None:
        raise SpecError(
            "nothing signs the checkpoints.",
            where="GATEWRIGHT_PIPELINE_KEY",
            remedy="name the pipeline's OpenSSH key, or leave GATEWRIGHT_CHECKPOINTS out.",
        )
    reader = CheckpointReader(signatures, pipeline.at)
    return CheckpointWriter(settings.path(settings.checkpoints), signer, reader, now)


@functools.cache
def connect(*, read_only: bool = False) -> Services:
    """The services that the settings describe, once a process.

    ``read_only`` leaves out what writes: an auditor's keys may only read. Raises StoreError when the store is down,
    refuses us, or fails its self-test.
    """
    redact_logs()
    settings = read_settings()
    records, blobs = stores(settings)
    if not read_only:
        for store in (records, blobs):
            store.ensure_bucket()
        check_store(records)
        require_one_time(records, utc_now)
    return build(settings, blob_store=blobs, record_store=records)


def stores(settings: Settings) -> tuple[S3Store, S3Store]:
    """The stores of records and of blobs; nothing is asked of them yet."""
    records = S3Store(_location(settings, settings.record_bucket))
    return records, S3Store(_location(settings, settings.blob_bucket, lock_days=settings.lock_days))


def read_settings() -> Settings:
    """What the environment says. Raises SpecError for a value that is none."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "GATEWRIGHT_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SpecError(f"{first['msg']}.", where=name, remedy="correct the variable.") from None


def _location(settings: Settings, bucket: str, *, lock_days: int | None = None) -> S3Location:
    return S3Location(
        lock_days=lock_days,
        endpoint_url=settings.store_endpoint_url,
        region=settings.store_region,
        bucket=bucket,
        access_key_id=settings.store_access_key_id,
        secret_access_key=settings.store_secret_access_key,
        addressing_style=settings.store_addressing_style,
        checksum=settings.store_checksum,
    )
