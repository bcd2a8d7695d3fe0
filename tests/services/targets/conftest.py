"""The world of released models, and patience."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.targets.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is true, for ten seconds at most."""

    def wait(true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not true():
            assert time.monotonic() < deadline, "waited for 10 s in vain"
            time.sleep(0.01)

    return wait
