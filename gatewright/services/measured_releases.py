"""Reads what past releases measured, many at a time: from the store, or from a file that was exported."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gatewright.core.backtest import standing_of
from gatewright.core.decision import Decision
from gatewright.core.errors import IntegrityError, SpecError
from gatewright.core.ledger import LedgerEntry, state_of
from gatewright.core.measured_release import MeasuredRelease, MeasuredReleases, asked_of
from gatewright.core.policy import Policy, Rule
from gatewright.core.records import sha256_hex
from gatewright.core.refs import ArtifactRef
from gatewright.core.releases import STAGES, EvidenceRoot, Opening, ReleaseState
from gatewright.core.results import Measurement
from gatewright.services.blobs import BlobStore
from gatewright.services.channel_store import ChannelStore
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["PastReleases", "read_measured", "write_measured"]

# A store answers many at once; the connections of one client end at 32.
AT_ONCE = 16

T = TypeVar("T", bound=BaseModel)


class _Measured(BaseModel):
    """Of a stage's evidence its measurements alone: the rest is for readers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    measurements: tuple[Measurement, ...] = ()


class PastReleases:
    """Every release of a model that was decided, as the ledger has them; nothing is written."""

    def __init__(self, records: ObjectStore, blobs: BlobStore, channel: str) -> None:
        self._records = records
        self._blobs = blobs
        self._channel = channel
        self._policies: dict[str, Policy] = {}

    def models(self) -> list[str]:
        """The models that have a ledger, sorted."""
        return LedgerStore(self._records).models()

    def of(self, model: str, stages: Collection[str] = STAGES) -> MeasuredReleases:
        """Measurements of ``stages``, the bytes held against the root digest that the ledger has of each release.

        Raises IntegrityError where they differ, StoreError.
        """
        ledger = LedgerStore(_Fetched(self._records, f"ledger/{valid_name(model)}/"))
        entries = ledger.entries(model)
        decided = {entry.release_id: entry for entry in entries if entry.kind == "decided"}
        serving = self._serving(model)
        with ThreadPoolExecutor(AT_ONCE) as readers:
            found = readers.map(lambda entry: self._release(entry, entries, serving, stages), decided.values())
            return MeasuredReleases(model=model, releases=tuple(found))

    def _serving(self, model: str) -> str | None:
        """Without the seals of all moves before it: it is said beside the verdict, and decides nothing."""
        head = ChannelStore(self._records).head(model, self._channel)
        return None if head is None or head[1].model_sha256 is None else head[1].release_id

    def _release(
        self, decided: LedgerEntry, entries: Sequence[LedgerEntry], serving: str | None, stages: Collection[str]
    ) -> MeasuredRelease:
        release_id = decided.release_id
        root = self._root(release_id, decided.digests.get("evidence"))
        opening = self._record(root, "opening", Opening)
        decision = self._record(root, "decision", Decision)
        policy, champion = self._policy(opening.policy), opening.champion is not None
        wanted = [name for name in STAGES if name in stages and name in root.records]
        measured: dict[str, tuple[Measurement, ...]] = {
            name: self._record(root, name, _Measured).measurements for name in wanted
        }
        return MeasuredRelease(
            release_id=release_id,
            model=opening.model,
            period=opening.period,
            decided_at=decided.at,
            state=state_of(release_id, entries) or ReleaseState.OPEN,
            serves=release_id == serving,
            has_champion=champion,
            sensitive_domain=decision.facts.sensitive_domain,
            personal_data=decision.facts.personal_data,
            policy_changed=decision.facts.policy_changed,
            policy_version=decision.policy_version,
            policy_sha256=decision.policy_sha256,
            alpha=policy.alpha,
            minimum_support=policy.minimum_support,
            decided=standing_of(decision, policy, has_champion=champion),
            waivers=len(decision.waivers),
            absent=_absent(policy, measured),
            evidence=root.digest,
            records={name: root.records[name] for name in wanted},
            measurements={name: found for name, found in measured.items() if found},
        )

    def _root(self, release_id: str, attested: str | None) -> EvidenceRoot:
        key = f"releases/{valid_name(release_id)}/root.json"
        body = self._records.get(key)
        if sha256_hex(body) != attested:
            raise _changed(key)
        return EvidenceRoot.from_bytes(body, where=key)

    def _record(self, root: EvidenceRoot, name: str, kind: type[T]) -> T:
        key = f"releases/{valid_name(root.release_id)}/{valid_name(name)}.json"
        body = self._records.get(key)
        if sha256_hex(body) != root.records.get(name):
            raise _changed(key)
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            raise _changed(key) from error

    def _policy(self, ref: ArtifactRef) -> Policy:
        if ref.sha256 not in self._policies:
            self._policies[ref.sha256] = Policy.from_bytes(self._blobs.get(ref), where=f"policy {ref.sha256[:12]}")
        return self._policies[ref.sha256]


class _Fetched(ObjectStore):
    """The objects below one prefix, all fetched at once: a chain is then verified link by link from memory."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._keys = list(store.keys(prefix))
        with ThreadPoolExecutor(AT_ONCE) as readers:
            self._bodies = dict(zip(self._keys, readers.map(store.get, self._keys), strict=True))

    def get(self, key: str) -> bytes:
        return self._bodies[key]

    def exists(self, key: str) -> bool:
        return key in self._bodies

    def create(self, key: str, body: bytes, media_type: str) -> bool:
        raise AssertionError("what is past is only read")

    def keys(self, prefix: str, *, start_after: str = "") -> Iterator[str]:
        return iter([key for key in self._keys if key.startswith(prefix) and key > start_after])


def read_measured(path: Path) -> MeasuredReleases:
    """Raises SpecError for a file that cannot be read, IntegrityError for one that was changed."""
    try:
        body = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror}."
        raise SpecError(problem, where=str(path), remedy="name a file of `gatewright policy evidence`.") from None
    return MeasuredReleases.from_file(body, where=str(path))


def write_measured(measured: MeasuredReleases, path: Path) -> None:
    """Raises SpecError when the file cannot be written."""
    try:
        path.write_bytes(measured.to_file())
    except OSError as error:
        problem = f"cannot be written: {error.strerror}."
        raise SpecError(problem, where=str(path), remedy="name a file in a directory that is there.") from None


def _absent(policy: Policy, measured: Mapping[str, Sequence[Measurement]]) -> tuple[str, ...]:
    """What the policy asked for and no stage measured."""
    missing = (rule for rule in policy.rules if not any(_answers(m, rule) for m in measured.get(rule.stage, ())))
    return tuple(sorted({asked_of(rule) for rule in missing}))


def _answers(m: Measurement, rule: Rule) -> bool:
    return m.metric == rule.measured_as and rule.speaks_of(m.slice)


def _changed(key: str) -> IntegrityError:
    return IntegrityError(
        "its bytes are not those that the release was decided on.",
        where=key,
        remedy="find out who changed the store; `gatewright verify` says what else differs.",
    )
