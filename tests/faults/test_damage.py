"""Broken outside of us: the store is away, the disk is full, bytes have changed, the target does as it likes."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gatewright.core.errors import ConflictError, GatewrightError, IntegrityError, StoreError, TargetError
from gatewright.core.records import sha256_hex
from gatewright.core.releases import ReleaseState
from gatewright.services.blobs import BlobStore
from tests.faults.fault_store import Fault
from tests.faults.figures import FIGURES
from tests.faults.invariants import violations
from tests.faults.stories import ask, finish, release, roll_back
from tests.faults.sweep import FIRST, SCENARIOS, SECOND, THIRD, Sweep
from tests.faults.world import CHANNEL, MODEL, World


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two models were deployed, a third one is approved."""
    world = World(tmp_path_factory.mktemp("cache"))
    release(world, world.process(), "r1", FIRST)
    release(world, world.process(), "r2", SECOND)
    ask(world, world.process(), "r3", THIRD)
    return world


@pytest.fixture
def world(base: World) -> World:
    return base.copy()


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_store_that_is_away_for_a_while_costs_another_run_and_nothing_else(name: str, tmp_path: Path):
    """From some call on every call fails, those of the way out too, until somebody starts a new run."""
    sweep = Sweep(SCENARIOS[name], tmp_path)
    calls = len(sweep.calls())
    outcomes = [sweep.run(*(Fault(first + n, "503 before") for n in range(3))) for first in range(1, calls + 1, 9)]
    FIGURES.add(outcomes, f"{name}, the store is away")
    assert [outcome for outcome in outcomes if outcome.violations or outcome.abandoned] == []


def test_every_damaged_byte_is_found_before_the_model_serves(base: World):
    """One bit in each region of each object that the release rests on; each is found."""
    found = {key: [_with_damage(base, key, at) for at in _regions(body)] for key, body in _rests_on(base)}
    FIGURES.count("damaged objects", points=sum(map(len, found.values())), violations=sum(map(sum, found.values())))
    assert [key for key, served in found.items() if any(served)] == []
    assert len(found) > 30


def test_a_damaged_model_that_is_on_its_way_into_production_is_not_served(world: World):
    """It was whole when it was verified: the target hashes it again, and the champion goes on."""
    services = world.process()
    look = world.target.look

    def damaged_before_it_looks() -> None:
        world.store.objects[_blob(THIRD)] = b"other!!"
        look()

    world.target.look = damaged_before_it_looks
    with pytest.raises(TargetError):
        finish(world, services, "r3")
    _champion_serves(world)


def test_a_release_that_was_ended_while_its_move_landed_is_put_back(world: World):
    """Between its verification and its confirmation the ledger is read once more."""
    look = world.target.look

    def ended_before_it_looks() -> None:
        services = world.auditor()
        services.releases.close(services.releases.opening("r3"), ReleaseState.FAILED, "dana.reyes")
        look()

    world.target.look = ended_before_it_looks
    with pytest.raises(ConflictError, match="has ended as failed"):
        finish(world, world.process(), "r3")
    _champion_serves(world)


def test_a_model_that_does_not_load_is_put_back(world: World):
    """The release fails, the champion serves, the channel says so."""
    world.target.unloadable.add(sha256_hex(THIRD))
    with pytest.raises(TargetError):
        finish(world, world.process(), "r3")
    _champion_serves(world)


@pytest.mark.parametrize("reported", [sha256_hex(FIRST), "0" * 64])
def test_a_target_that_reports_another_digest_is_not_believed(world: World, reported: str):
    """Neither an earlier model nor one that nobody knows."""
    world.target.lies = reported
    with pytest.raises(TargetError, match=reported[:8]):
        finish(world, world.process(), "r3")
    world.target.lies = None
    world.target.look()
    _champion_serves(world)


def test_a_rollback_to_a_damaged_model_is_refused_before_anything_moves(world: World):
    """Another release must be named."""
    _damage(world, _blob(FIRST), 0)
    with pytest.raises(IntegrityError):
        roll_back(world, world.process(), "back")
    assert len(world.auditor().channels.history(MODEL, CHANNEL)) == 4


def test_a_rollback_does_not_follow_a_record_that_was_exchanged(world: World):
    """The record of the earlier release names another model, one that is in the store: it was never deployed there."""
    key = "releases/r1/candidate.json"
    other = world.store.objects["releases/r3/candidate.json"]
    world.store.objects[key] = other
    with pytest.raises(IntegrityError, match="not the model that was deployed"):
        roll_back(world, world.process(), "back")


def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path: Path, world: World, full_disk: None):
    """The kernel's own error, from a device that is always full."""
    blobs = BlobStore(world.store, tmp_path / "cache")
    with pytest.raises(StoreError, match="No space left on device"):
        blobs.path(blobs.put(b"abc", "text/plain"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def mkstemp(**where: Path) -> tuple[int, str]:
        descriptor, name = real(**where)
        os.close(descriptor)
        return os.open("/dev/full", os.O_WRONLY), name

    real = tempfile.mkstemp
    monkeypatch.setattr("gatewright.services.blobs.tempfile.mkstemp", mkstemp)
    return


def _champion_serves(world: World) -> None:
    assert world.target.serving() == sha256_hex(SECOND)
    head = world.auditor().channels.head(MODEL, CHANNEL)
    assert head is not None
    assert (head[1].action, head[1].model_sha256) == ("revert", sha256_hex(SECOND))
    assert world.auditor().ledger.entries(MODEL)[-1].kind == "failed"
    assert violations(world) == []


def _blob(body: bytes) -> str:
    digest = sha256_hex(body)
    return f"blobs/sha256/{digest[:2]}/{digest}"


def _damage(world: World, key: str, at: int) -> None:
    body = bytearray(world.store.objects[key])
    body[at] ^= 1
    world.store.objects[key] = bytes(body)


def _with_damage(base: World, key: str, at: int) -> bool:
    """Whether the release goes through all the same."""
    world = base.copy()
    _damage(world, key, at)
    with suppress(GatewrightError):
        finish(world, world.process(), "r3")
    return sha256_hex(THIRD) in world.target.served


def _regions(body: bytes) -> list[int]:
    size = len(body)
    return sorted({0, 1, size // 4, size // 2, 3 * size // 4, size - 1})


def _rests_on(world: World) -> list[tuple[str, bytes]]:
    ledger = [key for key in world.store.objects if key.startswith("ledger/")]
    # The newest entry is held by checkpoints only: nothing in the chain follows it.
    earlier = ("releases/r1/", "releases/r2/", _blob(FIRST), _blob(SECOND), max(ledger))
    return [(key, body) for key, body in sorted(world.store.objects.items()) if not key.startswith(earlier)]
