"""Anything in any order, against a model of a hundred lines: what serves was always allowed to."""

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gatewright.core.errors import ApprovalError, ConflictError, GatewrightError, NotFoundError
from gatewright.core.governed import ROSTER_NAME
from gatewright.core.records import sha256_hex
from gatewright.core.roster import Person
from gatewright.core.tiers import Tier
from gatewright.services.promotion import close_failed
from tests.faults.fault_store import Fault, Kind, PowerCutError
from tests.faults.figures import FIGURES
from tests.faults.invariants import violations
from tests.faults.model import Human, Model
from tests.faults.stories import answer, finish, roll_back, submit
from tests.faults.world import MODEL, PEOPLE, World

WHO = st.sampled_from(PEOPLE)
KINDS: tuple[Kind, ...] = ("kill before", "kill after", "kill, lands later", "503 before", "503 after")
CRASH = st.none() | st.tuples(st.integers(1, 60), st.sampled_from(KINDS), st.sampled_from((1, 5)))


class Releases(RuleBasedStateMachine):
    """The services under test, and the model beside them."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self._folder.name))
        self.model = Model({name: Human() for name in PEOPLE})
        self.number = 0

    def teardown(self) -> None:
        FIGURES.count("state machine", points=self.number, violations=0)
        self._folder.cleanup()

    @initialize()
    def begin(self) -> None:
        """Something serves already."""
        self.submit("kim.larsen")
        self.answer("dana.reyes", "approve")
        self.answer("lee.wong", "approve")
        self.promote(None)

    @rule(author=WHO)
    def submit(self, author: str) -> None:
        """A candidate asks, unless another one does."""
        self.number += 1
        name, body = f"r{self.number}", f"model {self.number}".encode()
        try:
            request = submit(self.world, self.world.process(), name, body, author)
        except ConflictError:
            assert self.model.asked is not None
            return
        assert self.model.asked is None or self.model.overdue(self.world.time)
        if self.model.asked is not None:
            self.model.end("expired")
        self.model.submit(name, sha256_hex(body), author, request.asked_at)

    @precondition(lambda self: self._waits())
    @rule(who=WHO, choice=st.sampled_from(["approve", "approve", "approve", "reject"]))
    def answer(self, who: str, choice: str) -> None:
        """It counts exactly when the model says so."""
        asked = self.model.asked
        may = self.model.may_answer(who, self.world.time)
        assert answer(self.world, self.world.process(), asked.name, who, choice) == may
        if may and choice == "reject":
            self.model.end("rejected")
        elif may:
            asked.approvers.add(who)

    @precondition(lambda self: self.model.asked is not None)
    @rule(crash=CRASH)
    def promote(self, crash: tuple[int, Kind, int] | None) -> None:
        """Also before enough have approved, and again after a crash: then it is the recovery."""
        asked, valid = self.model.asked, self.model.promote(self.world.time)
        self._hit(crash)
        try:
            finish(self.world, self.world.process(), asked.name)
        except (PowerCutError, GatewrightError):
            asked.disturbed = asked.disturbed or bool(self.world.faulty.hit)
        self._land()
        state = self._state(asked.name)
        if state in ("deployed", "failed"):
            assert asked.disturbed or (state == "deployed") == valid
            assert state == "failed" or asked.digest in self.model.allowed
            self.model.end(state)
        else:
            assert asked.disturbed

    @rule(who=WHO, crash=CRASH)
    def roll_back(self, who: str, crash: tuple[int, Kind, int] | None) -> None:
        """Those who may, to what served before; a crash is made good at once by the same order."""
        self.number += 1
        may = self.model.may_roll_back(who)
        if self.model.asked is not None:
            self.model.asked.disturbed = True
        self._hit(crash)
        for _ in range(2):
            try:
                roll_back(self.world, self.world.process(), f"back-{self.number}", None, who)
                assert may
            except ApprovalError:
                assert not may
            except (PowerCutError, NotFoundError, GatewrightError):
                continue
            break
        self._land()

    @precondition(lambda self: self.model.asked is not None)
    @rule()
    def abandon(self) -> None:
        """A person ends it, whatever its run has done."""
        services = self.world.process()
        opening = services.releases.opening(self.model.asked.name)
        state = close_failed(services.releases, services.deployment, opening, "dana.reyes", "abandoned")
        assert state is not None
        assert state == "failed" or self.model.asked.disturbed
        self.model.end(state)

    @rule()
    def sweep(self) -> None:
        """Exactly the overdue one expires."""
        overdue = self.model.overdue(self.world.time)
        ended = self.world.process().releases.expire_overdue(MODEL)
        assert ended == ([self.model.asked.name] if overdue else [])
        if overdue:
            self.model.end("expired")

    @rule(hours=st.sampled_from([1, 25, 50]))
    def tick(self, hours: int) -> None:
        self.world.time += timedelta(hours=hours)

    @rule(needed=st.integers(1, 3), hours=st.sampled_from([5.5, 72, 100.5]))
    def change_policy(self, needed: int, hours: float) -> None:
        """The next version; what was asked before keeps its own."""
        tiers = tuple(_changed(tier, approvals=needed, window_hours=hours) for tier in self.world.policy.tiers)
        version = self.world.policy.version + 1
        self.world.policy = self.world.policy.model_copy(update={"tiers": tiers, "version": version})
        self.world.process().governance.adopt("policy", MODEL, self.world.policy, "file")
        self.model.needed, self.model.hours = needed, hours

    @rule(who=WHO, manager=st.booleans())
    def change_roster(self, who: str, manager: bool) -> None:
        """Somebody gets or loses the role that may approve."""
        self._change_person(who, roles=("release-manager",) if manager else ("data-scientist",))
        self.model.people[who].manager = manager

    @rule(who=WHO)
    def leave(self, who: str) -> None:
        self._change_person(who, left=self.world.time.date() - timedelta(days=1))
        self.model.people[who].there = False

    @rule(who=WHO)
    def come_back(self, who: str) -> None:
        self._change_person(who, left=None)
        self.model.people[who].there = True

    @rule(who=WHO)
    def revoke_key(self, who: str) -> None:
        person = self.world.roster.find(who)
        assert person is not None
        self._change_person(who, keys=tuple(_changed(key, revoked=self.world.time) for key in person.keys))
        self.model.people[who].key_good = False

    @invariant()
    def holds(self) -> None:
        """What serves was allowed to when somebody promoted it, and the store proves it."""
        unsettled = self.model.asked is not None and self.model.asked.disturbed
        assert [one for one in violations(self.world) if not (unsettled and "neither confirmed" in one)] == []
        assert {digest for digest in self.world.target.served if digest} <= self.model.allowed
        assert {name: self._state(name) for name in self.model.states} == self.model.states

    def _waits(self) -> bool:
        asked = self.model.asked
        return asked is not None and not asked.disturbed and len(asked.approvers) < asked.needed

    def _hit(self, crash: tuple[int, Kind, int] | None) -> None:
        self.world.hit(*([Fault(*crash)] if crash else []))

    def _land(self) -> None:
        self.world.faulty.land()
        self.world.hit()

    def _state(self, name: str) -> str | None:
        services = self.world.auditor()
        return services.releases.state(services.releases.opening(name))

    def _change_person(self, who: str, **changes: object) -> None:
        roster = self.world.roster
        people: tuple[Person, ...] = tuple(_changed(one, **changes) if one.id == who else one for one in roster.people)
        self.world.roster = roster.model_copy(update={"people": people, "version": roster.version + 1})
        self.world.process().governance.adopt("roster", ROSTER_NAME, self.world.roster, "file")


def _changed(record, **changes: object):
    if isinstance(record, Tier):
        changes["name"] = record.name
    return record.model_copy(update=changes)


TestReleases = Releases.TestCase
TestReleases.settings = settings(max_examples=8, stateful_step_count=20)
