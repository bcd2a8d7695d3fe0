"""What the scoring service answers, and how it refuses."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from gatewright.core.errors import ModelError, SpecError, StoreError
from gatewright.services.prediction_reader import PredictionReader, join_labels
from gatewright.services.registry import ModelRegistry
from gatewright.services.targets.scoring_app import MAX_ROWS, create_app
from tests.services.targets.world import FEATURES, World, tiny_model, tiny_spec

Until = Callable[[Callable[[], bool]], None]
# Without tokens it answers under a name of this machine only.
HERE = "http://127.0.0.1"
ROW = {"age": 44.0, "speed": 60, "sex": "f"}


@pytest.fixture
def client(world: World, until: Until) -> Iterator[TestClient]:
    """A service that serves model r1 and looks at its channel every 10 ms."""
    world.deploy("r1", tiny_model(1))
    app = create_app(**world.parts(), prediction_log=world.log(), poll_seconds=0.01)
    with TestClient(app, base_url=HERE) as client:
        until(lambda: client.get("/ready").status_code == 200)
        yield client


def refusal(client: TestClient, *rows: Any) -> dict[str, Any]:
    answer = client.post("/score", json={"rows": list(rows)})
    assert answer.status_code == 422, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_rows_are_scored_as_the_model_scores_them(client: TestClient) -> None:
    """Score, threshold, digest and release come with each answer."""
    rows = [ROW, {**ROW, "age": 20, "sex": "m"}]
    answer = client.post("/score", json={"rows": rows}).json()
    expected = tiny_model(1).predict_proba(pd.DataFrame(rows)[list(FEATURES)])[:, 1]
    scores = [found["score"] for found in answer["predictions"]]
    np.testing.assert_array_equal(scores, expected)
    assert [found["positive"] for found in answer["predictions"]] == (expected >= 0.5).tolist()
    assert answer["release_id"] == "r1"
    assert answer["model_sha256"] == client.get("/health").json()["serving"]
    assert len({found["prediction_id"] for found in answer["predictions"]}) == 2


def test_columns_that_the_model_does_not_use_are_ignored(client: TestClient) -> None:
    """A client can send the same row to every model."""
    plain, rich = (client.post("/score", json={"rows": [row]}).json() for row in (ROW, {**ROW, "caseid": [1]}))
    assert plain["predictions"][0]["score"] == rich["predictions"][0]["score"]


def test_a_new_category_is_scored_where_the_model_takes_it(client: TestClient) -> None:
    """The encoder of this model has a code for unknown categories."""
    assert client.post("/score", json={"rows": [{**ROW, "sex": "other"}]}).status_code == 200


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"age": "44"}, "age", "number or null, not text"),
        ({"age": True}, "age", "not true or false"),
        ({"age": [1]}, "age", "not a list"),
        ({"age": {}}, "age", "not an object"),
        ({"age": 10**400}, "age", "finite"),
        ({"sex": 1}, "sex", "text or null, not a number"),
        ({"sex": "x" * 201}, "sex", "at most 200"),
        ({"sex": "\ud800"}, "sex", "Unicode"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(
    change: dict[str, Any], column: str, words: str, client: TestClient
) -> None:
    """The client finds the mistake without guessing; its value is not sent back."""
    body = json.dumps({"rows": [ROW, {**ROW, **change}]})
    answer = client.post("/score", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert (problem["row"], problem["column"]) == (1, column)
    assert words in problem["problem"]
    assert f"row 1, column '{column}'" in answer.json()["error"]


def test_a_missing_feature_is_named(client: TestClient) -> None:
    """Missing is not null: the client must say that it does not know."""
    found = refusal(client, {"age": 1, "sex": "f"})
    assert found["problems"] == [{"row": 0, "column": "speed", "problem": "the feature is missing"}]


def test_at_most_twenty_problems_are_listed(client: TestClient) -> None:
    """A hopeless request gets a short answer."""
    assert len(refusal(client, *[{}] * 1000)["problems"]) == 20


def test_a_null_that_the_model_refuses_is_the_rows_fault(client: TestClient) -> None:
    """This model takes no nulls: the row is named, and the service stays well."""
    found = refusal(client, *[ROW] * 5, {**ROW, "age": None}, *[ROW] * 3)
    assert found["problems"][0]["row"] == 5
    assert "cannot score" in found["error"]
    assert client.post("/score", json={"rows": [ROW]}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"rows": []}',
        b'{"rows": {}}',
        b'{"rows": [1]}',
        b'{"rows": [null]}',
        b'{"rows": [{}], "more": 1}',
        b'{"rows": [{}], "\\ud800": 1}',
        b"not json",
        b"\xff\xfe",
        b'{"rows": ' + b"[" * 100_000,
        b'{"rows": [{"age": ' + b"9" * 5000 + b"}]}",
    ],
)
def test_a_malformed_request_is_refused_with_json(body: bytes, client: TestClient) -> None:
    """Whatever is sent, the answer is a 4xx with ``error`` and never a crash."""
    answer = client.post("/score", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_know_are_refused(number: str, client: TestClient) -> None:
    """Python's parser accepts them; a model must not get them."""
    body = f'{{"rows": [{{"age": {number}, "speed": 1, "sex": "f"}}]}}'
    answer = client.post("/score", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "finite" in answer.json()["error"]


def test_a_thousand_rows_are_taken_and_one_more_is_refused(client: TestClient) -> None:
    """The limit is the documented one."""
    assert client.post("/score", json={"rows": [ROW] * MAX_ROWS}).status_code == 200
    assert client.post("/score", json={"rows": [ROW] * (MAX_ROWS + 1)}).status_code == 422


@pytest.mark.parametrize("path", ["/score", "/labels"])
def test_a_huge_body_is_refused_before_it_is_read(path: str, client: TestClient) -> None:
    """Also when its length is not announced."""

    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    answer = client.post(path, content=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "5000000 bytes" in answer.json()["error"]


def test_an_unknown_path_is_json_too(client: TestClient) -> None:
    """One form for every refusal."""
    answer = client.get("/nothing")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})
    assert client.get("/score").status_code == 405


def test_without_a_model_scoring_says_when_to_come_back(world: World) -> None:
    """503 with Retry-After; ``/health`` is 200 and says why."""
    app = create_app(**world.parts(), prediction_log=world.log(), poll_seconds=0.01)
    with TestClient(app, base_url=HERE) as client:
        for answer in (client.post("/score", json={"rows": [ROW]}), client.get("/ready")):
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "1"
        health = client.get("/health")
        assert health.status_code == 200
        assert health.json()["serving"] is None


def test_health_tells_what_serves_and_what_is_wanted(client: TestClient, world: World, until: Until) -> None:
    """A damaged model leaves the old one answering, with both digests and the reason shown."""
    before = client.get("/health").json()
    assert before["wanted"] == before["serving"]
    assert (before["model"], before["channel"], before["release_id"]) == ("tiny", "production", "r1")
    assert (before["generation"], before["error"]) == (1, None)
    damaged = world.release("r2", tiny_model(2))
    world.damage(damaged)
    world.move("r2", damaged)
    until(lambda: client.get("/health").json()["error"] is not None)
    after = client.get("/health").json()
    assert (after["serving"], after["wanted"]) == (before["serving"], damaged)
    assert damaged in after["error"]
    assert client.post("/score", json={"rows": [ROW]}).json()["model_sha256"] == before["serving"]


def test_predictions_and_labels_reach_the_store(world: World, until: Until) -> None:
    """After the shutdown every answer is in the log, with its features, and the labels join to it."""
    digest = world.deploy("r1", tiny_model(1))
    app = create_app(**world.parts(), prediction_log=world.log(flush_seconds=3600), poll_seconds=0.01)
    with TestClient(app, base_url=HERE) as client:
        until(lambda: client.get("/ready").status_code == 200)
        answer = client.post("/score", json={"rows": [ROW, {**ROW, "sex": "m"}]}).json()
        ids = [found["prediction_id"] for found in answer["predictions"]]
        labels = [{"prediction_id": ids[1], "label": 1}]
        assert client.post("/labels", json={"labels": labels}).json() == {"accepted": 1}
        assert client.get("/health").json()["unflushed"] == 3
    reader = PredictionReader(world.store)
    frame, _ = reader.read_predictions("tiny")
    assert frame["prediction_id"].tolist() == ids
    assert frame["score"].tolist() == [found["score"] for found in answer["predictions"]]
    assert frame["model_sha256"].tolist() == [digest, digest]
    assert frame[list(FEATURES)].to_dict("records") == [ROW, {**ROW, "sex": "m"}]
    joined = join_labels(frame, reader.read_labels("tiny")[0])
    np.testing.assert_array_equal(joined.values, [np.nan, 1])


@pytest.mark.parametrize(
    "label",
    [
        {"prediction_id": "a" * 32, "label": 2},
        {"prediction_id": "a" * 32, "label": True},
        {"prediction_id": "a" * 32, "label": "1"},
        {"prediction_id": "a" * 32, "label": 0.5},
        {"prediction_id": "a" * 32, "label": None},
        {"prediction_id": "../../x", "label": 1},
        {"prediction_id": "a" * 32 + "\n", "label": 1},
        {"prediction_id": "a" * 32},
        {"prediction_id": "a" * 32, "label": 1, "more": 1},
    ],
)
def test_a_label_is_0_or_1_of_a_prediction(label: dict[str, Any], client: TestClient) -> None:
    """Anything else is refused by its place, and nothing of the request is kept."""
    good = {"prediction_id": "b" * 32, "label": 0}
    answer = client.post("/labels", json={"labels": [good, label]})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["row"] == 1
    assert client.get("/health").json()["unflushed"] == 0


def test_a_full_log_refuses_requests_rather_than_losing_them(
    world: World, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 while the store refuses and no room is left; the rows arrive once it takes writes again."""
    world.deploy("r1", tiny_model(1))
    log = world.log(capacity_rows=3, flush_rows=1, flush_seconds=0.02)
    write = world.store.create

    def refuse(key: str, body: bytes, media_type: str) -> bool:
        raise StoreError("no answer.", where=key, remedy="wait.")

    app = create_app(**world.parts(), prediction_log=log, poll_seconds=0.01)
    with TestClient(app, base_url=HERE) as client:
        until(lambda: client.get("/ready").status_code == 200)
        monkeypatch.setattr(world.store, "create", refuse)
        assert client.post("/score", json={"rows": [ROW] * 3}).status_code == 200
        full = client.post("/score", json={"rows": [ROW]})
        assert (full.status_code, full.headers["Retry-After"]) == (503, "5")
        until(lambda: client.get("/health").json()["log_error"] is not None)
        assert client.get("/health").json()["unflushed"] == 3
        monkeypatch.setattr(world.store, "create", write)
        until(lambda: client.get("/health").json()["unflushed"] == 0)
        assert client.post("/score", json={"rows": [ROW]}).status_code == 200
    assert len(PredictionReader(world.store).read_predictions("tiny")[0]) == 4


def test_a_model_that_breaks_while_it_serves_answers_500_as_json(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no single row is to blame the model is."""
    answers = iter([True])

    def broken(model: Any, frame: pd.DataFrame, features: Any) -> Any:
        if next(answers, None):
            raise ModelError("it gave NaN.", where="model", remedy="train again.")
        return np.full(len(frame), 0.5)

    monkeypatch.setattr(ModelRegistry, "score", staticmethod(broken))
    answer = client.post("/score", json={"rows": [ROW]})
    assert answer.status_code == 500
    assert "it gave NaN" in answer.json()["error"]


def test_the_page_for_people_is_escaped(client: TestClient) -> None:
    """The title comes from a file that a person wrote."""
    page = client.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Tiny &lt;model&gt;" in page.text
    assert "<model>" not in page.text
    assert re.search(r"serving</th><td>[0-9a-f]{64}", page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_feature_named_like_a_log_column_is_refused_at_the_start(world: World) -> None:
    """``score`` as a feature would overwrite the score in the log."""
    world.spec = tiny_spec(features=("age", "score"), categorical=())
    with pytest.raises(SpecError, match="score"):
        create_app(**world.parts(), prediction_log=world.log())
