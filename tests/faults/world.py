"""A whole Gatewright over one store, a target that follows it, people who sign, and a power switch."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from gatewright import wiring
from gatewright.core.errors import TargetError
from gatewright.core.policy import Policy
from gatewright.core.records import sha256_hex
from gatewright.core.roster import Machine, Person, PublicKey, Roster
from gatewright.core.signatures import APPROVAL, SignatureVerifier, Signer
from gatewright.core.statements import Answer, Request, statement_for
from gatewright.core.tiers import Tier
from gatewright.core.tokens import token_of
from gatewright.services.blobs import BlobStore
from gatewright.services.deployment import Deployment
from gatewright.services.rollbacks import Rollbacks
from gatewright.services.store import ObjectStore
from gatewright.services.targets.base import Target
from gatewright.services.targets.serving_model import ModelSource, ServingModel
from gatewright.settings import Settings
from tests.fakes import FakeSignatures, FakeSigner, MemoryStore
from tests.faults.fault_store import Fault, FaultStore
from tests.services.reports.example_view import NOON, POLICY, SPEC

__all__ = ["CHANNEL", "MODEL", "PEOPLE", "PIPELINE", "TWO_MUST_SIGN", "FollowingTarget", "World", "roster_of"]

MODEL, CHANNEL = "triage", "production"
PEOPLE = ("dana.reyes", "lee.wong", "kim.larsen")
PIPELINE = "pipeline"


def _tier(name: str, outcome: str) -> Tier:
    return Tier(
        name=name,
        risk="high",
        outcomes=(outcome,),
        approvals=2,
        roles=("release-manager",),
        assurance="signed",
        window_hours=72,
    )


TWO_MUST_SIGN: Policy = POLICY.model_copy(update={"tiers": (_tier("standard", "promote"), _tier("elevated", "review"))})


def roster_of(signers: dict[str, Signer], version: int = 1) -> Roster:
    """Everybody is a release manager, with the key they sign with; the pipeline seals."""
    return Roster(
        version=version,
        machines=(
            Machine(
                id="pipeline", role="pipeline", keys=(PublicKey(key=signers[PIPELINE].public_key, added=NOON.date()),)
            ),
        ),
        people=tuple(
            Person(
                id=name,
                name=name,
                roles=("release-manager",),
                joined=NOON.date(),
                keys=(PublicKey(key=signer.public_key, added=NOON.date()),),
            )
            for name, signer in signers.items()
            if name != PIPELINE
        ),
    )


def _fake_signers() -> dict[str, Signer]:
    return {name: FakeSigner(f"ssh-ed25519 {sha256_hex(name.encode())}") for name in (*PEOPLE, PIPELINE)}


class _BytesRegistry:
    """Loads bytes that have their digest; what a model answers is no matter here."""

    def __init__(self, blobs: BlobStore, refused: set[str]) -> None:
        self._blobs = blobs
        self._refused = refused

    def load(self, ref, **_: object) -> bytes:
        body = self._blobs.get(ref)
        if ref.sha256 in self._refused:
            raise TargetError("the bytes do not load.", where="target", remedy="none.")
        return body

    def answers(self, model, frame, features, task) -> None:
        return None


class FollowingTarget(Target):
    """The real ``ServingModel`` over the store; it looks at the channel whenever the world tells it to.

    ``unloadable`` are digests that it cannot load; ``lies``: what it reports instead of the truth. ``served`` is every
    model it ever served, in order.
    """

    def __init__(self, seen: wiring.Services) -> None:
        self.unloadable: set[str] = set()
        self.lies: str | None = None
        self.served: list[str | None] = []
        self._model = ServingModel(
            ModelSource(
                model=MODEL,
                channel=CHANNEL,
                spec=SPEC,
                registry=_BytesRegistry(seen.blobs, self.unloadable),
                blobs=seen.blobs,
                channels=seen.channels,
                evidence=seen.evidence,
            ),
            # It may try a model again at once: no seconds pass here.
            clock=iter(range(0, 10**9, 100)).__next__,
        )

    def look(self) -> None:
        """What the service does every second."""
        self._model.refresh()
        serving = self._model.current.model_sha256 if self._model.current else None
        if not self.served or self.served[-1] != serving:
            self.served.append(serving)

    def serving(self) -> str | None:
        return self.lies or (self._model.current.model_sha256 if self._model.current else None)

    def wait_until_serving(self, model_sha256: str | None, *, timeout_seconds: float, **_: object) -> None:
        self.look()
        if self.serving() != model_sha256:
            raise TargetError(f"it serves {self.serving()}.", where="target", remedy="none.")


class World:
    """What outlives every process: the store, the target, the clock, the people and what they were told."""

    def __init__(
        self,
        cache: Path,
        store: ObjectStore | None = None,
        *,
        signers: dict[str, Signer] | None = None,
        signatures: SignatureVerifier | None = None,
    ) -> None:
        self.store = store if store is not None else MemoryStore()
        self.cache = cache
        self.signers = signers or _fake_signers()
        self.signatures = signatures or FakeSignatures()
        self.policy = TWO_MUST_SIGN
        self.roster = roster_of(self.signers)
        self.told: list[tuple[str, str]] = []
        self.time = NOON
        self.target = FollowingTarget(self._services(self.store, None))
        self.faulty = FaultStore(self.store, after_each=self._looked)

    def copy(self, store: ObjectStore | None = None) -> "World":
        """The same, from here on apart; in ``store`` where one is given."""
        assert isinstance(self.store, MemoryStore)
        if store is None:
            store = MemoryStore()
            store.objects = dict(self.store.objects)
        else:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda item: store.create(*item, "application/octet-stream"), self.store.objects.items()))
        copied = self.over(store)
        copied.told = list(self.told)
        copied.target.look()
        return copied

    def over(self, store: ObjectStore) -> "World":
        """As another process sees it, by a connection of its own: two that share one read each other's replies."""
        seen = World(self.cache, store, signers=self.signers, signatures=self.signatures)
        seen.time = self.time
        return seen

    def hit(self, *faults: Fault) -> None:
        """Count the calls from here on, and let ``faults`` happen."""
        self.faulty = FaultStore(self.store, *faults, after_each=self._looked)

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def process(self, store: ObjectStore | None = None) -> wiring.Services:
        """What a new process has: nothing is remembered."""
        if store is None:
            self.faulty.restart()
        return self._services(store if store is not None else self.faulty, self.target)

    def auditor(self) -> wiring.Services:
        """Somebody who reads the store and nothing else."""
        return self.process(self.store)

    def signed(self, request: Request, name: str, choice: str = "approve") -> Answer:
        """What a person pastes into the form."""
        reason = f"{name} has read the evidence."
        said = statement_for(request, principal=name, meaning=choice, reason=reason, issued=self.time)
        body = said.to_bytes()
        token = token_of(body, self.signers[name].sign(body, namespace=APPROVAL))
        return Answer(decision=choice, approver=name, reason=reason, token=token)

    def tell(self, what: str, digest: str) -> None:
        """Somebody outside was told so; from now on it must be true."""
        self.told.append((what, digest))

    def _services(self, store: ObjectStore, target: Target | None) -> wiring.Services:
        settings = Settings(_env_file=None, root=self.cache, cache_dir=self.cache, channel=CHANNEL)
        built = wiring.build(
            settings,
            blob_store=store,
            record_store=store,
            target=target,
            signatures=self.signatures,
            now=self.now,
        )
        if target is None:
            return built
        deployment = Deployment(built.channels, target, CHANNEL, self.now, self.signers[PIPELINE])
        parts = (built.evidence, built.blobs, built.ledger, self.now, built.rollback_records, self.signatures)
        return replace(built, deployment=deployment, rollbacks=Rollbacks(built.channels, CHANNEL, deployment, *parts))

    def _looked(self, key: str) -> None:
        if not key or key.startswith("channels/"):
            self.target.look()


Story = Callable[[World, wiring.Services], None]
