"""Who may ask the scoring service and who may report outcomes: forged labels could have production rolled back."""

import itertools
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from gatewright.core.errors import SpecError
from gatewright.services.targets.admission import Tokens, tokens_for
from gatewright.services.targets.scoring_app import create_app
from gatewright.services.targets.scoring_service import ScoringServiceTarget
from tests.services.targets.world import World, tiny_model

ASKING, REPORTING = "asking-" + "a" * 32, "reporting-" + "b" * 32
TOKENS = Tokens(SecretStr(ASKING), SecretStr(REPORTING))
ROWS = {"rows": [{"age": 44.0, "speed": 60, "sex": "f"}]}
LABELS = {"labels": [{"prediction_id": "9f" * 16, "label": 1}]}
ROUTES = {"/score": (ASKING, ROWS), "/labels": (REPORTING, LABELS)}
SAYS = "this needs the header `Authorization: Bearer TOKEN` with the token of this route."


@contextmanager
def serving(world: World, tokens: Tokens | None) -> Iterator[TestClient]:
    """A service on which model r1 answers; what it logs stays with it until the end."""
    world.deploy("r1", tiny_model(1))
    app = create_app(**world.parts(), prediction_log=world.log(flush_seconds=3600), tokens=tokens, poll_seconds=0.01)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        deadline = time.monotonic() + 20
        while client.get("/ready").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield client


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One service for all tests: none of them changes what it serves."""
    with serving(World(tmp_path_factory.mktemp("guarded")), TOKENS) as client:
        yield client


def logged(client: TestClient) -> int:
    found: int = client.get("/health").json()["unflushed"]
    return found


def bearer(token: str, scheme: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{scheme} {token}"}


def post(client: TestClient, path: str, headers: dict[str, Any]) -> httpx.Response:
    return client.post(path, json=ROUTES[path][1], headers=headers)


def test_whoever_shows_the_token_of_the_route_is_let_in(guarded: TestClient) -> None:
    """The scheme is spelled in any case, as RFC 9110 has it."""
    before = logged(guarded)
    for path, (token, _) in ROUTES.items():
        for scheme in ("Bearer", "bearer", "BEARER"):
            assert post(guarded, path, bearer(token, scheme)).status_code == 200
    assert logged(guarded) == before + 6


@pytest.mark.parametrize("path", ROUTES)
def test_whoever_shows_anything_else_is_refused_and_nothing_is_logged(path: str, guarded: TestClient) -> None:
    """No header, another scheme, a part of the token, more than it, the token of the other route, any bytes."""
    token = ROUTES[path][0]
    other = ASKING if token == REPORTING else REPORTING
    wrong = ["", " ", token[:-1], f"{token}x", f"x{token}", token.upper(), other, f"{ASKING} {REPORTING}", "\xff" * 40]
    shown: list[dict[str, Any]] = [{}, {"Authorization": token}, bearer(token, "Basic"), bearer(token, "")]
    shown += [{"Authorization": f"Bearer {one}".encode("latin-1")} for one in wrong]
    before = logged(guarded)
    for headers in shown:
        answer = post(guarded, path, headers)
        assert (answer.status_code, answer.json()) == (401, {"error": SAYS}), headers
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert logged(guarded) == before


@pytest.mark.parametrize("path", ["/labels%0A", "/labels/", "//labels", "/labels;x", "/%6Cabels", "/LABELS"])
def test_no_spelling_of_a_path_opens_it_to_another_token(path: str, guarded: TestClient) -> None:
    """The token belongs to the route that answers, not to how its path was written."""
    before = logged(guarded)
    answer = guarded.post(f"http://127.0.0.1{path}", json=LABELS, headers=bearer(ASKING))
    assert answer.status_code in (401, 404)
    assert logged(guarded) == before


@pytest.mark.parametrize("path", ROUTES)
def test_what_a_stranger_sends_is_not_read(path: str, guarded: TestClient) -> None:
    """Refused before it is parsed or measured: 401, not the 413 and 422 of those who are let in."""
    for body in (b"not json", b"x" * 6_000_000):
        headers = {"Content-Type": "application/json"}
        assert guarded.post(path, content=body, headers=headers).status_code == 401
        assert guarded.post(path, content=body, headers=headers | bearer(ROUTES[path][0])).status_code in (413, 422)


def test_what_the_pipeline_and_operators_ask_stays_readable(guarded: TestClient) -> None:
    """Which model serves, whether it is ready, the page; they hold no row and no token."""
    assert (
        ScoringServiceTarget("http://127.0.0.1", client=guarded).serving() == guarded.get("/health").json()["serving"]
    )
    for path in ("/health", "/ready", "/"):
        answer = guarded.get(path)
        assert answer.status_code == 200
        assert not any(token in answer.text for token, _ in ROUTES.values())


def test_a_token_is_never_logged_nor_repeated(guarded: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Neither ours nor what somebody showed."""
    with caplog.at_level(logging.DEBUG):
        said = [post(guarded, path, bearer(f"{token}-almost")).text for path, (token, _) in ROUTES.items()]
    everything = caplog.text + str(said) + repr(TOKENS) + str(TOKENS)
    assert not any(token in everything for token, _ in ROUTES.values())


def test_without_tokens_only_programs_of_this_machine_are_answered(world: World) -> None:
    """Not a page in a browser, of another site or of one whose name was made to point here; nobody behind a proxy."""
    hosts = ("evil.example", "127.0.0.1.evil.example:8000", "[", "", "0.0.0.0")
    strangers = [*({"Host": host} for host in hosts), {"Origin": "http://evil.example"}, {"Origin": "null"}]
    strangers += [{"X-Forwarded-For": "8.8.8.8"}, {"Forwarded": "for=8.8.8.8"}, {"Via": "1.1 proxy"}]
    with serving(world, None) as client:
        for path, host in itertools.product(ROUTES, ("127.0.0.1:8000", "localhost", "[::1]:8000")):
            assert post(client, path, {"Host": host}).status_code == 200, host
        for path, headers in itertools.product(ROUTES, strangers):
            answer = post(client, path, headers)
            assert answer.status_code == 403, headers
            assert "only programs of this machine" in answer.json()["error"]


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "", "127.0.0.1.example.org", "8.8.8.8"]
)
def test_no_address_that_others_reach_is_served_without_tokens(host: str) -> None:
    """With both it is."""
    with pytest.raises(SpecError, match="no token is set") as refused:
        tokens_for(host, None, None)
    assert refused.value.where == "GATEWRIGHT_SCORING_TOKEN and GATEWRIGHT_LABELS_TOKEN"
    assert tokens_for(host, SecretStr(ASKING), SecretStr(REPORTING)) == TOKENS


def test_on_loopback_tokens_may_be_left_out_both_or_none() -> None:
    """Half of a lock is a mistake, and one token for both would let whoever asks report outcomes."""
    assert [tokens_for(host, None, None) for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8")] == [None] * 4
    for scoring, labels in ((ASKING, None), (None, REPORTING), (ASKING, ASKING)):
        given = (SecretStr(token) if token else None for token in (scoring, labels))
        with pytest.raises(SpecError) as refused:
            tokens_for("127.0.0.1", *given)
        assert "secrets.token_urlsafe" in refused.value.remedy
        assert ASKING not in str(refused.value)


@pytest.mark.parametrize("token", ["", "short", "a" * 31, "a" * 40 + "\n", "a b " * 10, "é" * 40, "\u200b" * 40])
def test_a_token_that_can_be_guessed_or_cannot_be_sent_is_refused(token: str) -> None:
    """Too short, or with characters that a header does not carry; it is not repeated."""
    with pytest.raises(SpecError, match="at least 32 visible ASCII") as refused:
        tokens_for("127.0.0.1", SecretStr(ASKING), SecretStr(token))
    assert refused.value.where == "GATEWRIGHT_LABELS_TOKEN"
