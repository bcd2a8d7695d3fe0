"""A release and a rollback with a fault at their store calls, one after the other."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from gatewright.core.errors import GatewrightError
from gatewright.core.records import sha256_hex
from gatewright.core.signatures import Signer
from gatewright.services.ssh_signatures import SshSignatures, SshSigner, new_key
from tests.faults.fault_store import Fault, PowerCutError
from tests.faults.figures import FIGURES
from tests.faults.invariants import violations
from tests.faults.stories import ask, finish, release, roll_back
from tests.faults.sweep import FIRST, SCENARIOS, SECOND, Sweep, faults_of
from tests.faults.world import PEOPLE, PIPELINE, World

# The same points in each session; `python -m tests.faults` tries all of them.
ONE_IN = 11


@pytest.fixture(params=SCENARIOS, scope="module")
def sweep(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return Sweep(SCENARIOS[request.param], tmp_path_factory.mktemp("cache"))


def test_no_fault_at_a_store_call_breaks_anything(sweep: Sweep):
    """Whatever fails wherever: approved models only, each event once, nothing lost, the same end, nobody called."""
    calls = sweep.calls()
    every = list(faults_of(calls))
    # All that can happen to the writes of the channel, where it matters most, and a sample of the rest.
    chosen = [fault for n, fault in enumerate(every) if n % ONE_IN == 0 or _moves_the_channel(sweep, fault)]
    outcomes = [sweep.run(fault) for fault in chosen]
    FIGURES.add(outcomes, f"{sweep.scenario.name}, one fault")
    assert [outcome for outcome in outcomes if outcome.violations or outcome.abandoned] == []
    assert [outcome.faults for outcome in outcomes] == [(fault,) for fault in chosen]


def test_two_faults_in_one_run_break_nothing_either(sweep: Sweep):
    """The second one often hits the recovery from the first."""
    every = list(faults_of(sweep.calls()))
    draw = random.Random(20261123)
    pairs = [(first, _later(draw, first)) for first in draw.sample(every, 40)]
    outcomes = [sweep.run(*pair) for pair in pairs]
    FIGURES.add(outcomes, f"{sweep.scenario.name}, two faults")
    assert [outcome for outcome in outcomes if outcome.violations] == []


def _later(draw: random.Random, first: Fault) -> Fault:
    kinds = ("kill before", "kill after", "503 before", "503 after")
    return Fault(first.call + draw.randint(1, 25), draw.choice(kinds))


def _moves_the_channel(sweep: Sweep, fault: Fault) -> bool:
    return sweep.names[fault.call - 1].startswith("channels/")


def test_real_signatures_hold_through_kills_as_the_fake_ones_do(tmp_path: Path):
    """People and the pipeline sign with ssh-keygen; the process is killed before and after its move of the channel."""
    signers: dict[str, Signer] = {}
    for name in (*PEOPLE, PIPELINE):
        new_key(tmp_path / name, name)
        signers[name] = SshSigner(tmp_path / name)
    world = World(tmp_path, signers=signers, signatures=SshSignatures())
    release(world, world.process(), "r1", FIRST)
    ask(world, world.process(), "r2", SECOND)
    for kind in ("kill before", "kill after"):
        world.hit(Fault(_first_move(world), kind))
        with pytest.raises(PowerCutError):
            finish(world, world.process(), "r2")
    finish(world, world.process(), "r2")
    roll_back(world, world.process(), "back")
    assert world.target.serving() == sha256_hex(FIRST)
    assert violations(world) == []
    FIGURES.count("release and rollback, real signatures", points=2, recoveries=2)


def _first_move(world: World) -> int:
    """The number of the call that writes the next move, as a run that nothing disturbs makes it."""
    tried = world.copy()
    tried.hit()
    with suppress(GatewrightError):
        finish(tried, tried.process(), "r2")
    return next(
        number
        for number, (operation, key) in enumerate(tried.faulty.asked, start=1)
        if operation == "create" and key.startswith("channels/")
    )
