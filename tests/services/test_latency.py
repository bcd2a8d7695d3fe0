"""What a model costs is sampled as the scoring service would call it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gatewright.core.errors import ModelError
from gatewright.core.refs import Candidate
from gatewright.services import latency
from gatewright.services.latency import LatencySamples, sample_latency
from gatewright.services.registry import ModelRegistry
from tests.services.targets.world import World, tiny_model

FRAME = pd.DataFrame({"age": [20.0, 40.0, 70.0], "speed": [30.0, 50.0, 90.0], "sex": ["f", "m", "f"]})
CALLS = 30


class Recording(ModelRegistry):
    """Remembers which rows were scored, and allocates ``allocate`` bytes at each call."""

    allocate = 0

    def __init__(self, *given) -> None:
        super().__init__(*given)
        self.rows: list[list[float]] = []

    def score(self, model: object, frame: pd.DataFrame, features) -> np.ndarray:
        self.rows.append(frame["age"].tolist())
        return np.zeros(self.allocate // 8) if self.allocate else super().score(model, frame, features)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(latency, "SINGLE_CALLS", CALLS)
    world = World(tmp_path)
    world.registry = Recording(world.blobs)
    world.release("r1", tiny_model(1))
    return world


def sampled(world: World, trusted: tuple[str, ...] = ()) -> LatencySamples:
    candidate = world.evidence.read("candidate", "r1", Candidate)
    return sample_latency(world.registry, candidate, FRAME, trusted_types=trusted)


def test_there_is_one_time_for_each_call_and_none_for_the_warm_up(world: World):
    """All of them positive, in milliseconds."""
    samples = sampled(world)
    assert samples.single_ms.shape == (CALLS,)
    assert samples.single_ms.min() > 0
    assert samples.load_seconds > 0


def test_single_calls_go_round_the_rows_and_the_batch_takes_all(world: World):
    """One row a call, then all rows at once, then once more while memory is traced."""
    samples = sampled(world)
    singles = world.registry.rows[: CALLS + latency.WARM_UP_CALLS]
    assert singles[:4] == [[20.0], [40.0], [70.0], [20.0]]
    assert all(len(rows) == 1 for rows in singles)
    assert world.registry.rows[len(singles) :] == [FRAME["age"].tolist()] * 2
    assert samples.batch_rows == 3


def test_times_are_those_of_the_clock(world: World, monkeypatch: pytest.MonkeyPatch):
    """With a clock that advances a quarter of a second a look."""
    ticks = iter(np.arange(0, 1000, 0.25))
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(ticks))
    samples = sampled(world)
    assert set(samples.single_ms) == {250.0}
    assert (samples.load_seconds, samples.batch_seconds) == (0.25, 0.25)


def test_memory_counts_what_scoring_allocates(world: World):
    """Eight million bytes of zeros more than the model itself."""
    usual = sampled(world).peak_memory_bytes
    world.registry.allocate = 8_000_000
    assert usual < 8_000_000 < sampled(world).peak_memory_bytes


def test_a_model_that_cannot_be_loaded_is_not_measured(world: World):
    """An error, not a fast model."""
    digest = world.evidence.read("candidate", "r1", Candidate).artifact
    with pytest.raises(ModelError):
        sample_latency(
            world.registry,
            world.evidence.read("candidate", "r1", Candidate).model_copy(
                update={"artifact": world.blobs.put(b"junk", digest.media_type)}
            ),
            FRAME,
            trusted_types=(),
        )
