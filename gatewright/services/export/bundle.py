"""The files of a bundle: exact bytes from the store, and what ssh-keygen needs to verify them without this software."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gatewright.core.break_glass import Emergency
from gatewright.core.channels import ChannelEntry, seal_message
from gatewright.core.checkpoints import Checkpoint
from gatewright.core.decision import Decision
from gatewright.core.errors import IntegrityError
from gatewright.core.governed import ROSTER_NAME, DocumentKind
from gatewright.core.in_force import InForce
from gatewright.core.refs import ArtifactRef, Candidate
from gatewright.core.releases import EvidenceRoot, Opening, ReleaseData
from gatewright.core.rollback_proof import AcceptedRollback
from gatewright.core.statements import Approval, Request
from gatewright.core.tokens import Token, parse_token
from gatewright.core.waivers import Waiver
from gatewright.services.attestations import ATTESTATION, LATE_ATTESTATION, Attestation
from gatewright.services.audit.store import AuditedStore
from gatewright.services.checkpoints import CheckpointReader
from gatewright.services.export.signers import allowed_signers
from gatewright.services.rollback_records import record_key
from gatewright.services.ssh_signatures import armored
from gatewright.services.store import valid_name

__all__ = ["Bundle", "collect", "place_of"]

_GENERATION = re.compile(r"\d{10}\.json", re.ASCII)


@dataclass
class Bundle:
    """What was collected of one release. ``files``: path in the bundle -> bytes.

    ``approvals`` and ``emergencies`` are those among the answers, each with the answer's number; ``rollbacks`` are
    those of the channel that were recorded and confirmed, by the number of their move. What a release never came to is
    None or empty.
    """

    opening: Opening
    channel: str
    candidate: Candidate | None = None
    root: EvidenceRoot | None = None
    request: Request | None = None
    approvals: dict[int, Approval] = field(default_factory=dict)
    emergencies: dict[int, Emergency] = field(default_factory=dict)
    rollbacks: dict[int, AcceptedRollback] = field(default_factory=dict)
    moves: list[ChannelEntry] = field(default_factory=list)
    policies: tuple[InForce, ...] = ()
    rosters: tuple[InForce, ...] = ()
    decision: Decision | None = None
    state: str = ""
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def release_id(self) -> str:
        return self.opening.release_id

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        return self.decision.waivers if self.decision else ()

    @property
    def confirmed(self) -> ChannelEntry | None:
        """The move that confirmed its deployment, None when it never served."""
        ours = (m for m in self.moves if m.operation == self.release_id and m.action == "confirm")
        return next(ours, None)

    def paths(self, folder: str) -> list[str]:
        """The paths below ``folder``, sorted."""
        return sorted(path for path in self.files if path.startswith(f"{folder}/"))

    def put_signed(self, path: str, token: Token) -> None:
        """The exact bytes that were signed, and the signature as ssh-keygen wants it."""
        self.files[f"{path}.json"] = token.body
        self.files[f"{path}.sig"] = armored(token.signature).encode()


def collect(
    store: AuditedStore,
    release_id: str,
    channel: str,
    *,
    checkpoints: Path | None = None,
    with_blobs: bool = False,
) -> Bundle:
    """Read all that a bundle needs; ``checkpoints`` is the directory in which they are kept.

    Raises NotFoundError for an unknown release, IntegrityError for a chain that is broken, SpecError for a name that
    could leave the bundle or be taken for a command, StoreError.
    """
    store.records.read_ahead(f"releases/{release_id}/")
    evidence, opening = store.evidence, store.releases.opening(release_id)
    bundle = Bundle(
        opening,
        channel,
        candidate=evidence.find("candidate", release_id, Candidate),
        decision=evidence.find("decision", release_id, Decision),
        state=str(store.releases.state(opening)),
        root=evidence.find("root", release_id, EvidenceRoot),
        request=evidence.find("request", release_id, Request),
        moves=[move for _, move in store.channels.history(opening.model, channel)],
        policies=store.governance.history("policy", opening.model),
        rosters=store.governance.history("roster", ROSTER_NAME),
    )
    _add_evidence(bundle, store)
    _add_chain(bundle, store, f"ledger/{opening.model}", "ledger")
    _add_chain(bundle, store, f"channels/{opening.model}/{channel}", "channel")
    _add_governed(bundle, store, "policy", opening.model, bundle.policies)
    _add_governed(bundle, store, "roster", ROSTER_NAME, bundle.rosters)
    bundle.files["policy.json"] = store.blobs.get(opening.policy)
    bundle.files["roster.json"] = store.blobs.get(opening.roster)
    _add_signers(bundle, store)
    _add_approvals(bundle, store)
    _add_waivers(bundle)
    _add_seals(bundle)
    _add_rollbacks(bundle, store)
    _add_attestation(bundle, store)
    _add_checkpoints(bundle, store, checkpoints)
    _add_model(bundle, store, with_blobs=with_blobs)
    return bundle


def _add_evidence(bundle: Bundle, store: AuditedStore) -> None:
    for name in bundle.root.records if bundle.root else ():
        valid_name(name)
    for name in store.evidence.names(bundle.release_id):
        key = f"releases/{bundle.release_id}/{valid_name(name)}.json"
        bundle.files[f"evidence/{name}.json"] = store.records.get(key)


def _add_chain(bundle: Bundle, store: AuditedStore, prefix: str, folder: str) -> None:
    store.records.read_ahead(f"{prefix}/")
    for key in store.records.keys(f"{prefix}/"):
        name = key.removeprefix(f"{prefix}/")
        if not _GENERATION.fullmatch(name):
            raise IntegrityError("this is no link of a chain.", where=key, remedy="find out who put it there.")
        bundle.files[f"{folder}/{name}"] = store.records.get(key)


def _add_governed(
    bundle: Bundle, store: AuditedStore, kind: DocumentKind, name: str, versions: tuple[InForce, ...]
) -> None:
    _add_chain(bundle, store, f"governance/{kind}/{name}", f"governance/{kind}")
    for version in versions:
        for token in map(parse_token, version.entry.signatures):
            principal = _principal(version, token)
            bundle.put_signed(f"governance/signatures/{kind}-{version.n}-{principal}", token)


def _principal(version: InForce, token: Token) -> str:
    tokens = [parse_token(text) for text in version.entry.signatures]
    return valid_name(version.entry.statements[tokens.index(token)].principal)


def _add_signers(bundle: Bundle, store: AuditedStore) -> None:
    bundle.files["allowed_signers"] = allowed_signers(store.releases.roster(bundle.opening)).encode()
    for version in bundle.rosters:
        bundle.files[f"allowed_signers-{version.n}"] = allowed_signers(version.roster).encode()


def _add_approvals(bundle: Bundle, store: AuditedStore) -> None:
    for number, answer in enumerate(store.releases.answers(bundle.release_id), 1):
        if answer.emergency is not None:
            bundle.emergencies[number] = answer.emergency
            name = valid_name(answer.emergency.principal)
            bundle.put_signed(f"approvals/{number}-{name}", parse_token(answer.emergency.token))
        if answer.approval is None:
            continue
        # Names from the store become words of commands.
        name = valid_name(answer.approval.principal)
        bundle.approvals[number] = answer.approval
        if answer.approval.proof:
            bundle.put_signed(f"approvals/{number}-{name}", parse_token(answer.approval.proof))


def _add_waivers(bundle: Bundle) -> None:
    for number, waiver in enumerate(bundle.waivers, 1):
        bundle.put_signed(f"waivers/{number}-{waiver.statement.principal}", parse_token(waiver.token))


def _add_attestation(bundle: Bundle, store: AuditedStore) -> None:
    for name in (ATTESTATION, LATE_ATTESTATION):
        record = store.evidence.find(name, bundle.release_id, Attestation)
        if record is not None:
            bundle.files[f"{name}.dsse.json"] = store.blobs.get(record.envelope)


def _add_checkpoints(bundle: Bundle, store: AuditedStore, directory: Path | None) -> None:
    """The newest of each chain, as its files lie in the directory."""
    if directory is None:
        return
    reader = CheckpointReader(store.signatures, store.pipeline.at)
    model = bundle.opening.model
    logs = (f"ledger/{model}", f"channels/{model}/{bundle.channel}", f"governance/policy/{model}")
    for log in (*logs, f"governance/roster/{ROSTER_NAME}"):
        newest = reader.newest(directory, log)
        if newest is not None:
            place = directory / log / f"{newest.size:010}" / "checkpoint.json"
            path = f"checkpoints/{place_of(log).replace('/', '-')}.json"
            bundle.checkpoints[path] = newest
            bundle.files[path] = place.read_bytes()
            bundle.files[f"{path}.sig"] = place.with_name("checkpoint.json.sig").read_bytes()


def _add_seals(bundle: Bundle) -> None:
    for n, move in enumerate(bundle.moves, 1):
        if move.seal is not None:
            message = seal_message(move, bundle.opening.model, bundle.channel, n)
            bundle.put_signed(f"seals/{n}", Token(message, _decoded(move.seal)))


def _add_rollbacks(bundle: Bundle, store: AuditedStore) -> None:
    model, channel = bundle.opening.model, bundle.channel
    confirmed = {move.operation for move in bundle.moves if move.action == "confirm"}
    for n, move in enumerate(bundle.moves, 1):
        if move.action != "rollback" or move.operation not in confirmed:
            continue
        recorded = store.rollback_records.find(model, channel, move.operation)
        if recorded is None:
            continue
        name = valid_name(recorded.principal)
        bundle.rollbacks[n] = recorded
        bundle.files[f"rollbacks/{n}.json"] = store.records.get(record_key(model, channel, move.operation))
        if recorded.proof:
            bundle.put_signed(f"rollbacks/{n}-{name}", parse_token(recorded.proof))


def _decoded(seal: str) -> bytes:
    try:
        return base64.b64decode(seal, validate=True)
    except (binascii.Error, ValueError):  # what it is then fails when it is verified
        return b""


def _add_model(bundle: Bundle, store: AuditedStore, *, with_blobs: bool) -> None:
    if bundle.candidate is None:
        return
    model = bundle.candidate.artifact
    place = f"blobs/{model.sha256}" if with_blobs else "model"
    bundle.files["model.sha256"] = f"{model.sha256}  {place}\n".encode()
    if with_blobs:
        for ref in _blobs(bundle, store):
            bundle.files[f"blobs/{ref.sha256}"] = store.blobs.get(ref)


def _blobs(bundle: Bundle, store: AuditedStore) -> Iterator[ArtifactRef]:
    if bundle.candidate is not None:
        yield bundle.candidate.artifact
    data = store.evidence.find("data", bundle.release_id, ReleaseData)
    datasets = (data.training, data.evaluation) if data else ()
    yield from (file.artifact for dataset in datasets for file in dataset.files)
    yield from (bundle.opening.spec, bundle.opening.policy, bundle.opening.roster)
    for stage in store.releases.stages(bundle.release_id).values():
        yield from stage.artifacts.values()


def place_of(log: str) -> str:
    """The folder of a bundle that holds the chain which the store keeps under ``log``."""
    if log.startswith("governance/"):
        return "/".join(log.split("/")[:2])
    return "ledger" if log.startswith("ledger/") else "channel"
