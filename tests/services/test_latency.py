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
CALLS = 40


class Recording(ModelRegistry):
    """Remembers which rows were scored by which model, and allocates ``allocate`` bytes at each call."""

    allocate = 0

    def __init__(self, *given) -> None:
        super().__init__(*given)
        self.rows: list[list[float]] = []
        self.intercepts: list[float] = []

    def score(self, model: object, frame: pd.DataFrame, features) -> np.ndarray:
        self.rows.append(frame["age"].tolist())
        self.intercepts.append(float(model[-1].intercept_[0]))
        return np.zeros(self.allocate // 8) if self.allocate else super().score(model, frame, features)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(latency, "samples_needed", lambda probability, confidence: CALLS if probability > 0.5 else 3)
    monkeypatch.setattr(latency, "BUDGET_SECONDS", 0)
    world = World(tmp_path)
    world.registry = Recording(world.blobs)
    world.release("r1", tiny_model(1))
    return world


def sampled(world: World, *, champion: str | None = None) -> LatencySamples:
    candidate, other = (world.evidence.read("candidate", name, Candidate) for name in ("r1", champion or "r1"))
    return sample_latency(
        world.registry,
        candidate,
        FRAME,
        trusted_types=(),
        confidence=0.9,
        champion=other if champion else None,
    )


def test_there_is_one_time_for_each_call_and_none_for_the_warm_up(world: World):
    """All of them positive; loading and batches are repeated as often as a median needs."""
    samples = sampled(world)
    assert samples.candidate.single_ms.shape == (CALLS,)
    assert samples.candidate.batch_seconds.shape == samples.candidate.load_seconds.shape == (3,)
    assert min(samples.candidate.single_ms.min(), samples.candidate.load_seconds.min()) > 0
    assert samples.champion is None


def test_single_calls_go_round_the_rows_and_the_batch_takes_all(world: World):
    """One row a call, then all rows three times, then once more while memory is traced."""
    samples = sampled(world)
    singles = world.registry.rows[latency.WARM_UP_CALLS : CALLS + latency.WARM_UP_CALLS]
    assert singles[:4] == [[20.0], [40.0], [70.0], [20.0]]
    assert all(len(rows) == 1 for rows in singles)
    assert world.registry.rows[latency.WARM_UP_CALLS + CALLS :] == [FRAME["age"].tolist()] * 4
    assert samples.batch_rows == 3


def test_the_champion_takes_turns_with_the_candidate(world: World):
    """Call by call in the order A B B A: whatever slows the machine down slows both."""
    world.release("r2", tiny_model(2))
    samples = sampled(world, champion="r2")
    both = world.registry.intercepts[2 * latency.WARM_UP_CALLS :][: 2 * CALLS]
    ours, theirs = world.registry.intercepts[0], world.registry.intercepts[latency.WARM_UP_CALLS]
    assert ours != theirs
    assert both == [ours, theirs, theirs, ours] * (CALLS // 2)
    assert samples.champion.single_ms.shape == samples.candidate.single_ms.shape == (CALLS,)
    assert samples.champion.batch_seconds.shape == (3,)


def test_calls_go_on_while_there_is_time(world: World, monkeypatch: pytest.MonkeyPatch):
    """Up to a limit; the clock advances 10 ms a look, two looks a call."""
    ticks = iter(np.arange(0, 1000, 0.01))
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(ticks))
    sizes = []
    for seconds, most in ((2, 5_000), (0.1, 5_000), (20, 60)):
        monkeypatch.setattr(latency, "BUDGET_SECONDS", seconds)
        monkeypatch.setattr(latency, "MOST_CALLS", most)
        sizes.append(sampled(world).candidate.single_ms.size)
    assert 60 < sizes[0] < 100
    assert sizes[1:] == [CALLS, 60]


def test_times_are_those_of_the_clock(world: World, monkeypatch: pytest.MonkeyPatch):
    """With a clock that advances a quarter of a second a look."""
    ticks = iter(np.arange(0, 1000, 0.25))
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(ticks))
    timings = sampled(world).candidate
    assert set(timings.single_ms) == {250.0}
    assert set(timings.batch_seconds) == set(timings.load_seconds) == {0.25}


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
            confidence=0.9,
        )
