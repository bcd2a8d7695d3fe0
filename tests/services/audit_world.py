"""A year of one model: people and machines with real SSH keys, two releases, a change of the policy, a rollback."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from gatewright.core.approval import accept
from gatewright.core.change_control import ChangeControl
from gatewright.core.decision import Decision, decide
from gatewright.core.governed import ROSTER_NAME
from gatewright.core.in_force import InForce
from gatewright.core.judging import judge
from gatewright.core.policy import Policy
from gatewright.core.refs import DatasetFile, DatasetRef
from gatewright.core.release_facts import facts_of
from gatewright.core.releases import Champion, Opening, ReleaseData, ReleaseState
from gatewright.core.rollback_order import RollbackOrder, rollback_statement
from gatewright.core.roster import Machine, Person, PublicKey, Roster
from gatewright.core.signatures import APPROVAL, ROLLBACK
from gatewright.core.statements import Answer, Request, statement_for
from gatewright.core.tiers import Tier
from gatewright.core.tokens import token_of
from gatewright.core.waivers import Waiver
from gatewright.core.way_back import way_back
from gatewright.services.promotion import promote
from gatewright.services.release_records import AnswerRecord
from gatewright.services.ssh_signatures import SshSigner, new_key
from gatewright.services.store import ObjectStore
from gatewright.settings import Settings
from gatewright.wiring import Services, build
from tests.fakes import MemoryStore
from tests.services.reports.example_view import CANDIDATE, NOON, OPENING, POLICY, SPEC, STAGES

__all__ = ["OWNER", "AuditWorld"]

OWNER = "sam.okafor"
MODEL, CHANNEL = "triage", "production"
ROLES = {
    "dana.reyes": ("release-manager",),
    "lee.wong": ("release-manager",),
    OWNER: ("compliance-officer",),
    "kim.larsen": ("data-scientist",),
}


class AuditWorld:
    """Everything that happened to one model; ``keys`` is a directory that may be shared, to make keys once."""

    def __init__(self, folder: Path, keys: Path, store: ObjectStore | None = None) -> None:
        self.folder = folder
        self.keys = keys
        self.store = store if store is not None else MemoryStore()
        self.time = NOON
        self.waivers: tuple[Waiver, ...] = ()
        # What a dishonest run would make of its decision.
        self.decides: Callable[[Decision], Decision] = lambda decision: decision

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def process(self) -> Services:
        """What a new process has: nothing is remembered."""
        pipeline = self.signer("pipeline").key_file
        settings = Settings(
            _env_file=None,
            root=self.folder,
            cache_dir=self.folder / "cache",
            channel=CHANNEL,
            pipeline_key=pipeline,
            checkpoints=self.checkpoints,
        )
        return build(settings, blob_store=self.store, record_store=self.store, target=_Obedient(), now=self.now)

    def signer(self, name: str) -> SshSigner:
        path = self.keys / name
        if not path.exists():
            new_key(path, name)
        return SshSigner(path)

    def key(self, name: str) -> PublicKey:
        return PublicKey(key=self.signer(name).public_key, added=NOON.date())

    @cached_property
    def roster(self) -> Roster:
        people = tuple(
            Person(id=name, name=name, roles=roles, joined=NOON.date(), keys=(self.key(name),))
            for name, roles in ROLES.items()
        )
        machines = (
            Machine(id="pipeline", role="pipeline", keys=(self.key("pipeline"),)),
            Machine(id="gateway", role="gateway", keys=(self.key("gateway"),)),
        )
        return Roster(version=1, changed_by=ChangeControl(owners=(OWNER,)), people=people, machines=machines)

    @cached_property
    def policy(self) -> Policy:
        changes = {"tiers": (_tier("standard", "promote"), _tier("elevated", "review"))}
        return POLICY.model_copy(update={**changes, "changed_by": ChangeControl(owners=(OWNER,))})

    def govern(self, policy: Policy | None = None, reason: str = "As the risk committee asked.") -> None:
        """Put the roster, once, and a policy in force, signed by their owner."""
        governance, owner = self.process().governance, self.signer(OWNER)
        governance.sign("roster", ROSTER_NAME, self.roster, owner, OWNER, "These are our people.")
        governance.sign("policy", MODEL, policy or self.policy, owner, OWNER, reason)

    def change_roster(self, left: Mapping[str, date] = {}, revoked: Mapping[str, datetime] = {}) -> None:
        """The next version of the roster: these people leave, the keys of those are revoked."""
        governance = self.process().governance
        current = governance.in_force("roster", ROSTER_NAME)
        assert current
        people = tuple(
            person.model_copy(
                update={
                    "left": left.get(person.id),
                    "keys": tuple(key.model_copy(update={"revoked": revoked.get(person.id)}) for key in person.keys),
                }
            )
            for person in current.roster.people
        )
        changed = current.roster.model_copy(update={"version": current.version + 1, "people": people})
        governance.sign("roster", ROSTER_NAME, changed, self.signer(OWNER), OWNER, "Somebody left us.")

    def open(self, release_id: str) -> Opening:
        services = self.process()
        policy = services.governance.in_force("policy", MODEL)
        roster = services.governance.in_force("roster", ROSTER_NAME)
        assert policy
        assert roster
        history = services.channels.history(MODEL, CHANNEL)
        head = history[-1] if history else None
        pinned = {"spec": SPEC.to_bytes(), "policy": policy.body, "roster": roster.body}
        opened = self.now()
        return services.releases.open(
            OPENING.model_copy(
                update={
                    **{name: services.blobs.put(body, "application/json") for name, body in pinned.items()},
                    "release_id": release_id,
                    "opened_at": opened,
                    "expires_at": opened + timedelta(hours=12),
                    "channel_generation": head[0] if head else 0,
                    "champion": Champion(release_id=head[1].release_id, model_sha256=head[1].model_sha256)
                    if head
                    else None,
                }
            )
        )

    def ask(self, opening: Opening) -> Request:
        """Go through all gates, up to the request for approval."""
        services = self.process()
        releases, name = services.releases, opening.release_id
        model = services.blobs.put(f"model of {name}".encode(), "application/x-skops")
        rows = services.blobs.put(b"rows", "application/octet-stream")
        files = (DatasetFile(uri="data/1999.parquet", period="1999", rows=3, artifact=rows),)
        data = DatasetRef(name="data", files=files)
        releases.record("data", opening, ReleaseData(training=data, evaluation=data))
        candidate = releases.record(
            "candidate", opening, CANDIDATE.model_copy(update={"artifact": model, "training": data})
        )
        for stage_name, stage in STAGES.items():
            profile = services.blobs.put(f"profile of {stage_name}".encode(), "application/json")
            ours = stage.model_copy(update={"release_id": name, "artifacts": {"profile": profile}})
            releases.record(stage_name, opening, ours)
        policy, first = releases.policy(opening), opening.champion is None
        measured = [(name, m) for name, stage in releases.stages(name).items() for m in stage.measurements]
        results = judge(policy, measured, has_champion=not first)
        facts = facts_of(
            SPEC,
            policy,
            results,
            measured,
            policy_sha256=opening.policy.sha256,
            policy_of_champion_sha256=None
            if opening.champion is None
            else releases.opening(opening.champion.release_id).policy.sha256,
            has_champion=not first,
        )
        decision = decide(
            policy,
            results,
            policy_sha256=opening.policy.sha256,
            has_champion=not first,
            facts=facts,
            waivers=self.waivers,
        )
        decision = self.decides(decision)
        releases.record("decision", opening, decision)
        root = releases.record("root", opening, releases.root(opening, candidate))
        releases.note(opening, "decided", "gatewright", digests={"evidence": root.digest}, note=decision.outcome)
        return releases.ask(opening, candidate, decision, environment=CHANNEL)

    def answer(self, opening: Opening, request: Request, number: int, name: str, by: str | None = None) -> None:
        """``name`` signs that they approve (with the key of ``by``), and the run receives it."""
        services = self.process()
        said = statement_for(
            request, principal=name, meaning="approve", reason='It\'s better for "every" group.', issued=self.now()
        )
        token = token_of(said.to_bytes(), self.signer(by or name).sign(said.to_bytes(), namespace=APPROVAL))
        typed = Answer(decision="approve", approver=name, reason="", token=token)
        earlier = services.releases.approvals(opening.release_id)
        rosters, at = [services.releases.roster(opening)], self.now()
        approval = accept(typed, request, rosters, services.signatures, pause=None, at=at, earlier=earlier)
        services.releases.record(f"answer-{number}", opening, AnswerRecord(approval=approval, refusal=None))
        services.releases.note_approval(opening, approval)

    def deploy(self, opening: Opening, request: Request) -> None:
        services = self.process()
        releases, evidence = services.releases, services.evidence
        promote(
            releases,
            services.deployment,
            opening,
            evidence.read("data", opening.release_id, ReleaseData),
            evidence.read("candidate", opening.release_id, type(CANDIDATE)),
            request,
            rosters=(releases.roster(opening), self.roster),
            signatures=services.signatures,
            now=self.now,
        )
        releases.close(opening, ReleaseState.DEPLOYED, "gatewright")
        services.attestations.attest(opening, (releases.roster(opening), self.roster), at=self.now())

    def release(self, release_id: str, approvers: Sequence[str] = ("dana.reyes", "lee.wong")) -> Opening:
        """A release from its opening to production."""
        opening = self.open(release_id)
        request = self.ask(opening)
        for number, name in enumerate(approvers, 1):
            self.answer(opening, request, number, name)
        self.deploy(opening, request)
        return opening

    def checkpoint(self) -> None:
        """Sign for the chains, outside the store."""
        self.checkpoints.mkdir(exist_ok=True)
        self.process().checkpoints.write(MODEL)

    def roll_back(self, operation: str = "back-1", to_release: str | None = None, *, signed: bool = True) -> None:
        """One step back, or to a release, by Dana: signed with her key, or by her typed name."""
        services = self.process()
        terms = self.terms(services)
        order = RollbackOrder(
            model=MODEL,
            to_release=to_release,
            actor="dana.reyes",
            reason="Complaints from two sites.",
            operation=operation,
        )
        if signed:
            moves = [move for _, move in services.channels.history(MODEL, CHANNEL)]
            said = rollback_statement(
                way_back(moves, MODEL, CHANNEL, to_release), *terms,
                operation=operation, principal=order.actor, reason=order.reason, issued=self.now(),
            ).to_bytes()  # fmt: skip
            token = token_of(said, self.signer(order.actor).sign(said, namespace=ROLLBACK))
            order = order.model_copy(update={"token": token})
        services.rollbacks.carry_out(order, *terms)

    def terms(self, services: Services) -> tuple[InForce, InForce]:
        """The policy and the roster in force."""
        found = services.governance.in_force("policy", MODEL), services.governance.in_force("roster", ROSTER_NAME)
        assert found[0]
        assert found[1]
        return found[0], found[1]

    def year(self) -> "AuditWorld":
        """Release r1, change the policy, release r2, and take r2 back."""
        self.govern()
        self.release("r1")
        self.govern(self.policy.model_copy(update={"version": 4, "review_at_warnings": 2}))
        self.release("r2")
        self.roll_back()
        self.checkpoint()
        return self


class _Obedient:
    """A target that serves whatever the channel says."""

    def serving(self) -> str | None:
        return None

    def wait_until_serving(self, model_sha256: str | None, *, timeout_seconds: float, **_: object) -> None:
        return None


def _tier(name: str, outcome: str) -> Tier:
    return Tier(
        name=name,
        risk="high",
        outcomes=(outcome,),  # type: ignore[arg-type]
        approvals=2,
        roles=("release-manager",),
        assurance="signed",
        window_hours=72,
    )
