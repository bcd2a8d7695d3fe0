"""The same over the real store: replies that are lost on the way, and processes that are killed while they race."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from itertools import cycle
from multiprocessing.process import BaseProcess

import pytest

from gatewright.core.errors import GatewrightError
from gatewright.core.records import sha256_hex
from gatewright.services.store import S3Location, S3Store
from tests.faults.figures import FIGURES
from tests.faults.invariants import violations
from tests.faults.stories import ask, finish, release, roll_back
from tests.faults.sweep import FIRST, SECOND, THIRD
from tests.faults.world import CHANNEL, MODEL, World
from tests.services.fault_proxy import Fault, FaultProxy, fault_proxy

PROMOTIONS, ROLLBACKS = 4, 16
# So many a promotion or a rollback makes at least.
FEWEST_REQUESTS = 16
ANSWERS = (Fault(503, applied=True), Fault(503, applied=False), Fault("reset", applied=True), Fault("reset", False))
RACERS = 8
KILLED = 4


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two models were deployed."""
    world = World(tmp_path_factory.mktemp("cache"))
    release(world, world.process(), "r1", FIRST)
    release(world, world.process(), "r2", SECOND)
    return world


@pytest.fixture
def proxy(s3_location: S3Location) -> Iterator[FaultProxy]:
    """A network in front of the real store that loses what it is told to."""
    assert s3_location.endpoint_url is not None
    with fault_proxy(s3_location.endpoint_url.removeprefix("http://")) as running:
        yield running


def test_replies_lost_anywhere_in_a_promotion_end_where_no_loss_ends(
    base: World, s3_location: S3Location, proxy: FaultProxy
):
    """Requests of it, one after the other, are refused or cut: before a write took effect, or after it."""
    approved = base.copy()
    ask(approved, approved.process(), "r3", THIRD)
    points = random.Random(4).sample(range(1, FEWEST_REQUESTS), PROMOTIONS)
    found = [
        wrong
        for point, fault in zip(points, cycle(ANSWERS), strict=False)
        for wrong in _with_fault(approved, proxy, s3_location, point, fault)
    ]
    FIGURES.count("promotion over the real store", points=len(points), violations=len(found))
    assert found == []


def test_replies_lost_anywhere_in_a_rollback_end_where_no_loss_ends(
    base: World, s3_location: S3Location, proxy: FaultProxy
):
    """To and fro between two models, each time another request is hit."""
    world = _in_real_store(base, s3_location, "rollbacks")
    services = world.process(_behind(proxy, s3_location, "rollbacks"))
    models = {"r1": FIRST, "r2": SECOND}
    for number, (name, fault) in enumerate(zip(cycle(models), cycle(ANSWERS), strict=False)):
        if number == ROLLBACKS:
            break
        proxy.asked.clear()
        proxy.numbered = {number % FEWEST_REQUESTS + 1: fault}
        roll_back(world, services, f"back-{number}", name)
        assert world.target.serving() == sha256_hex(models[name])
        assert len(proxy.asked) > number % FEWEST_REQUESTS
    found = violations(world)
    FIGURES.count("rollbacks over the real store", points=ROLLBACKS, violations=len(found))
    assert found == []


def test_racing_processes_of_which_half_are_killed_put_one_approved_model_into_production(
    base: World, s3_location: S3Location
):
    """Eight processes, two releases of one model, four kill -9; whoever comes next finishes what is left."""
    world = _in_real_store(base, s3_location, "race")
    location = s3_location.model_copy(update={"prefix": f"{s3_location.prefix}/race"})
    context = multiprocessing.get_context("fork")
    bodies = {"r3": THIRD, "r4": b"model 4"}
    racers = [
        context.Process(target=_race, args=(world, location, name, bodies[name]))
        for name in ("r3", "r4") * (RACERS // 2)
    ]
    for racer in racers:
        racer.start()
    killed = _kill_some(racers)
    for racer in racers:
        racer.join(60)
    recovered = sum(_recovered(world, name, body) for name, body in bodies.items())
    world.target.look()
    found = violations(world)
    FIGURES.count("8 processes, kill -9", points=killed, recoveries=recovered, violations=len(found))
    assert found == []
    assert killed == KILLED
    states = {entry.release_id: entry.kind for entry in world.auditor().ledger.entries(MODEL)}
    head = world.auditor().channels.head(MODEL, CHANNEL)
    assert "deployed" in {states.get("r3"), states.get("r4")}
    assert head is not None
    assert head[1].model_sha256 == world.target.serving() in {sha256_hex(body) for body in bodies.values()}


def _in_real_store(world: World, location: S3Location, part: str) -> World:
    return world.copy(S3Store(location.model_copy(update={"prefix": f"{location.prefix}/{part}"})))


def _behind(proxy: FaultProxy, location: S3Location, part: str) -> S3Store:
    # One request is lost, whatever comes after it is answered: more patience costs no time, except on a busy machine.
    changed = {"endpoint_url": proxy.endpoint_url, "prefix": f"{location.prefix}/{part}", "patience_seconds": 30.0}
    return S3Store(location.model_copy(update=changed))


def _with_fault(base: World, proxy: FaultProxy, location: S3Location, point: int, fault: Fault) -> list[str]:
    part = f"point-{point}"
    world = _in_real_store(base, location, part)
    proxy.asked.clear()
    proxy.numbered = {point: fault}
    finish(world, world.process(_behind(proxy, location, part)), "r3")
    assert len(proxy.asked) >= point
    served = world.target.serving() == sha256_hex(THIRD)
    return violations(world) + ([] if served else ["it ends in another place"])


def _race(world: World, location: S3Location, name: str, body: bytes) -> None:
    """A process of its own, with a connection of its own: the target that it looks at has it too."""
    store = S3Store(location)
    world = world.over(store)
    try:
        release(world, world.process(store), name, body)
    except GatewrightError:
        os._exit(1)
    os._exit(0)


def _kill_some(racers: list[BaseProcess]) -> int:
    draw = random.Random()
    victims = draw.sample(racers, KILLED)
    for victim in victims:
        time.sleep(draw.uniform(0.1, 0.6))
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
    return len(victims)


def _recovered(world: World, name: str, body: bytes) -> int:
    """Whether another run was needed; the ones that have ended say so, and stay as they are."""
    try:
        release(world, world.auditor(), name, body)
    except GatewrightError:
        return 0
    return 1
