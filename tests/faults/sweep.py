"""Run a story with faults at chosen calls, recover with new runs, and look at what is left."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewright.core.errors import GatewrightError
from gatewright.core.records import sha256_hex
from gatewright.wiring import Services
from tests.faults.fault_store import READ_KINDS, WRITE_KINDS, Fault, PowerCutError
from tests.faults.invariants import violations
from tests.faults.stories import release, roll_back
from tests.faults.world import CHANNEL, MODEL, World

__all__ = ["SCENARIOS", "Outcome", "Scenario", "Sweep", "faults_of"]

# A write that is on its way when its process dies lands after so many calls of others; the last one after everything.
DELAYS = (1, 4, 12, 10**9)
# More than the calls that fail in a row: a run may not get past its first one.
RUNS = 60
FIRST, SECOND, THIRD = b"model 1", b"model 2", b"model 3"


@dataclass(frozen=True)
class Scenario:
    """``prepare`` a world, run ``story`` under faults until it has ``ended``; ``serves`` is where that must lead."""

    name: str
    prepare: Callable[[World], None]
    story: Callable[[World, Services, int], None]
    serves: bytes


@dataclass(frozen=True)
class Outcome:
    """What became of one case: the ``faults`` that it met, how many ``runs`` it took.

    ``abandoned``: how often a person had to step in.
    """

    scenario: str
    faults: tuple[Fault, ...]
    runs: int
    abandoned: int
    violations: tuple[str, ...]


def _first_serves(world: World) -> None:
    release(world, world.process(), "r1", FIRST)


def _two_served(world: World) -> None:
    _first_serves(world)
    release(world, world.process(), "r2", SECOND)


def _release_second(world: World, services: Services, attempt: int) -> None:
    """With the same id while the release is open; an ended one is never continued, so a new one is started."""
    ends = {entry.release_id: entry.kind for entry in services.ledger.entries(MODEL)}
    ours = sorted(name for name in ends if name.startswith("r2"))
    if "deployed" not in {ends[name] for name in ours}:
        failed = [name for name in ours if ends[name] == "failed"]
        release(world, services, f"r2{'b' * len(failed)}", SECOND)


def _roll_back_to_first(world: World, services: Services, attempt: int) -> None:
    """With the same order until it was put back; then somebody orders again."""
    moves = [move for _, move in services.channels.history(MODEL, CHANNEL)]
    reverted = sum(move.action == "revert" for move in moves)
    roll_back(world, services, f"back-{reverted}")


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("first release", lambda world: None, _release_second, SECOND),
        Scenario("release", _first_serves, _release_second, SECOND),
        Scenario("rollback", _two_served, _roll_back_to_first, FIRST),
    )
}


class Sweep:
    """One scenario, prepared once."""

    def __init__(self, scenario: Scenario, cache: Path) -> None:
        self.scenario = scenario
        self._base = World(cache)
        scenario.prepare(self._base)

    def calls(self) -> list[str]:
        """The operation of each store call of an undisturbed run."""
        world = self.world()
        self.scenario.story(world, world.process(), 0)
        self.names = [key for _, key in world.faulty.asked]
        return [operation for operation, _ in world.faulty.asked]

    def world(self, *faults: Fault) -> World:
        """A copy of the prepared world."""
        world = self._base.copy()
        world.hit(*faults)
        return world

    def run(self, *faults: Fault) -> Outcome:
        """The story under ``faults``, repeated by new processes until it ends, and what is wrong then."""
        world = self.world(*faults)
        runs, abandoned = _until_it_ends(world, self.scenario)
        world.faulty.land()
        found = violations(world)
        if runs > RUNS:
            found.append(f"it has not ended after {RUNS} runs")
        if world.target.serving() != sha256_hex(self.scenario.serves):
            found.append("a re-run ends in another place than a run without faults")
        return Outcome(self.scenario.name, tuple(world.faulty.hit), runs, abandoned, tuple(found))


def _until_it_ends(world: World, scenario: Scenario) -> tuple[int, int]:
    abandoned = 0
    for attempt in range(RUNS):
        try:
            scenario.story(world, world.process(), attempt)
        except PowerCutError:
            continue
        except GatewrightError:
            abandoned += _abandoned(world)
            continue
        return attempt + 1, abandoned
    return RUNS + 1, abandoned


def _abandoned(world: World) -> bool:
    """What `gatewright abandon` does, where nothing else is left: a move that stands though its release has ended."""
    services = world.process()
    try:
        head = services.channels.head(MODEL, CHANNEL)
        if head is None or head[1].action != "deploy":
            return False
        opening = services.releases.opening(head[1].release_id)
        state = services.releases.state(opening)
        if state is None or not state.final:
            return False
        return services.deployment.put_back(MODEL, head[1].operation, "abandoned")
    except (GatewrightError, PowerCutError):
        return False


def faults_of(calls: Sequence[str], delays: Sequence[int] = DELAYS) -> Iterator[Fault]:
    """Every fault at every call."""
    for number, operation in enumerate(calls, start=1):
        for kind in WRITE_KINDS if operation == "create" else READ_KINDS:
            for delay in delays if kind.endswith("later") else (0,):
                yield Fault(number, kind, delay)
