"""A real server on a real port: the model changes under load, and no request notices."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pandas as pd
import pytest
import uvicorn

from gatewright.core.errors import TargetError
from gatewright.services.prediction_log import PredictionLog
from gatewright.services.prediction_reader import PredictionReader
from gatewright.services.targets.scoring_app import create_app
from gatewright.services.targets.scoring_service import ScoringServiceTarget
from tests.services.targets.world import FEATURES, World, tiny_model

ROW = {"age": 44.0, "speed": 60.0, "sex": "f"}
CLIENTS = 4
MOVES = 6


@contextmanager
def running(world: World, log: PredictionLog) -> Iterator[str]:
    """The service on a free port of this machine; its address."""
    app = create_app(**world.parts(), prediction_log=log, poll_seconds=0.02)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def expected_score(seed: int) -> float:
    return float(tiny_model(seed).predict_proba(pd.DataFrame([ROW])[list(FEATURES)])[0, 1])


def hammer(url: str, ended: threading.Event, answers: list[tuple[int, Any]]) -> None:
    with httpx.Client(trust_env=False, timeout=20) as client:
        while not ended.is_set():
            answer = client.post(f"{url}/score", json={"rows": [ROW]})
            answers.append((answer.status_code, answer.json()))


def test_the_model_swaps_under_load_without_dropping_a_request(world: World) -> None:
    """Each answer has the score of the model it names; none failed; every one of them is in the log."""
    scores = {world.deploy("r1", tiny_model(1)): expected_score(1)}
    scores[world.release("r2", tiny_model(2))] = expected_score(2)
    digests = list(scores)
    assert scores[digests[0]] != scores[digests[1]]
    answers: list[tuple[int, Any]] = []
    ended = threading.Event()
    with running(world, world.log(flush_rows=50)) as url:
        target = ScoringServiceTarget(url)
        target.wait_until_serving(digests[0], timeout_seconds=20, poll_seconds=0.02)
        threads = [threading.Thread(target=hammer, args=(url, ended, answers)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for move in range(1, MOVES + 1):
            digest = digests[move % 2]
            world.move(f"r{move % 2 + 1}", digest)
            target.wait_until_serving(digest, timeout_seconds=20, poll_seconds=0.02)
            time.sleep(0.1)
        ended.set()
        for thread in threads:
            thread.join(20)
    assert len(answers) >= CLIENTS * MOVES
    assert {status for status, _ in answers} == {200}
    assert {body["model_sha256"] for _, body in answers} == set(digests)
    for _, body in answers:
        assert body["predictions"][0]["score"] == scores[body["model_sha256"]]
    logged, _ = PredictionReader(world.store).read_predictions("tiny")
    answered = {body["predictions"][0]["prediction_id"] for _, body in answers}
    assert set(logged["prediction_id"]) == answered
    assert len(logged) == len(answered)


def test_a_damaged_model_is_reported_to_who_waits_for_it(world: World) -> None:
    """The release flow learns what serves instead and why, and the old model answers on."""
    first = world.deploy("r1", tiny_model(1))
    damaged = world.release("r2", tiny_model(2))
    world.damage(damaged)
    with running(world, world.log()) as url:
        target = ScoringServiceTarget(url)
        target.wait_until_serving(first, timeout_seconds=20, poll_seconds=0.02)
        world.move("r2", damaged)
        with pytest.raises(TargetError) as gave_up:
            target.wait_until_serving(damaged, timeout_seconds=0.5, poll_seconds=0.05)
        assert first in gave_up.value.problem
        assert "the bytes" in gave_up.value.problem
        assert gave_up.value.where == url
        assert target.serving() == first
