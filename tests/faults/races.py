"""What may happen at the same time as a promotion, and where that may end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewright.core.releases import ReleaseState
from gatewright.services.promotion import close_failed
from gatewright.wiring import Services
from tests.faults.interleave import Run
from tests.faults.invariants import violations
from tests.faults.stories import ask, finish, release, roll_back
from tests.faults.sweep import FIRST, SECOND, THIRD
from tests.faults.world import CHANNEL, MODEL, World

__all__ = ["RACES", "Race", "Raced"]

Act = Callable[[World, Services], object]


@dataclass(frozen=True)
class Race:
    """Each of ``acts`` is a process; the world has two deployed releases, and a third one that is ``asked`` or not."""

    name: str
    acts: tuple[Act, ...]
    asked: bool = True


def _finish(world: World, services: Services) -> None:
    finish(world, services, "r3")


def _roll_back(world: World, services: Services) -> None:
    roll_back(world, services, "back")


def _abandon(world: World, services: Services) -> None:
    close_failed(services.releases, services.deployment, services.releases.opening("r3"), "dana.reyes", "abandoned")


def _expire(world: World, services: Services) -> None:
    services.releases.expire_overdue(MODEL)


def _third(world: World, services: Services) -> None:
    release(world, services, "r3", THIRD)


def _fourth(world: World, services: Services) -> None:
    release(world, services, "r4", b"model 4")


RACES = {
    one.name: one
    for one in (
        Race("a rollback during a promotion", (_finish, _roll_back)),
        Race("two runs of one release", (_finish, _finish)),
        Race("an abandoned release that lives", (_finish, _abandon)),
        Race("a sweep during a promotion", (_finish, _expire)),
        Race("two releases of one model", (_third, _fourth), asked=False),
        Race("a promotion, its double, a rollback", (_finish, _finish, _roll_back)),
    )
}


class Raced:
    """A prepared world, and what every order of steps leaves of it."""

    def __init__(self, race: Race, cache: Path) -> None:
        self._race = race
        self._base = World(cache)
        release(self._base, self._base.process(), "r1", FIRST)
        release(self._base, self._base.process(), "r2", SECOND)
        if race.asked:
            ask(self._base, self._base.process(), "r3", THIRD)
        self.found: list[str] = []
        self.ends: set[tuple[str, ...]] = set()

    def run(self, prefix: Sequence[int]) -> Run:
        """One order of steps, from the prepared world on."""
        world = self._base.copy()
        acts = [lambda store, act=act: act(world, world.process(store)) for act in self._race.acts]
        run = Run(world.store, acts, prefix)
        world.target.look()
        self.found += [f"{violation} in the order {run.order}" for violation in violations(world)]
        self.found += _not_followed(world)
        self.ends.add(_end(world))
        return run


def _not_followed(world: World) -> list[str]:
    head = world.auditor().channels.head(MODEL, CHANNEL)
    assert head is not None
    return [] if world.target.serving() == head[1].model_sha256 else ["the target serves what the channel does not say"]


def _end(world: World) -> tuple[str, ...]:
    moves = [f"{move.operation} {move.action}" for _, move in world.auditor().channels.history(MODEL, CHANNEL)]
    states = {entry.release_id: entry.kind for entry in world.auditor().ledger.entries(MODEL)}
    open_ones = [name for name, kind in states.items() if kind not in set(ReleaseState) | {"rolled_back"}]
    return *moves[4:], *(f"{name} is open" for name in open_ones)
