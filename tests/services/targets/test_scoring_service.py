"""The release flow asks the service which model answers, and gives up with a reason."""

import json
from typing import Any

import httpx
import pytest

from gatewright.core.errors import TargetError
from gatewright.services.targets.base import Target
from gatewright.services.targets.scoring_service import ScoringServiceTarget

OLD, NEW = "a" * 64, "b" * 64
URL = "http://127.0.0.1:9"


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def health(serving: str | None, *, wanted: str | None = NEW, error: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"serving": serving, "wanted": wanted, "error": error, "model": "tiny"})


def target(*answers: httpx.Response | Exception) -> ScoringServiceTarget:
    """A service that gives these answers, the last one for ever."""
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/health"
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, content=found.content)

    return ScoringServiceTarget(URL + "/", client=httpx.Client(transport=httpx.MockTransport(answer)))


def wait(service: Target, digest: str | None = NEW, seconds: float = 10) -> Clock:
    clock = Clock()
    service.wait_until_serving(digest, timeout_seconds=seconds, poll_seconds=1, clock=clock, sleep=clock.sleep)
    return clock


def test_the_digest_that_serves_is_reported() -> None:
    """What ``/health`` says, and None when nothing serves."""
    assert target(health(OLD)).serving() == OLD
    assert target(health(None)).serving() is None


def test_waiting_ends_as_soon_as_the_model_serves() -> None:
    """Two looks see the old model, the third the new one."""
    assert wait(target(health(OLD), health(OLD), health(NEW))).now == 2


def test_a_service_that_restarts_is_waited_for() -> None:
    """Silence is not yet failure."""
    service = target(httpx.ConnectError("refused"), httpx.Response(502), health(NEW))
    assert wait(service).now == 2


def test_waiting_for_nothing_to_serve_is_possible() -> None:
    """The way back from a failed first release."""
    assert wait(target(health(NEW), health(None)), digest=None).now == 1


def test_the_last_look_is_at_the_end_of_the_time() -> None:
    """A model that comes up in the last moment counts."""
    service = target(health(OLD), health(OLD), health(NEW))
    assert wait(service, seconds=1.5).now == 1.5


def test_giving_up_names_the_address_what_serves_and_its_error() -> None:
    """The message alone tells the operator where to look."""
    with pytest.raises(TargetError) as gave_up:
        wait(target(health(OLD, error="no space left")))
    message = str(gave_up.value)
    for part in (URL, OLD, NEW, "10 s", "no space left"):
        assert part in message


def test_giving_up_on_silence_says_that_it_was_silent() -> None:
    """An unreachable service is not described as serving anything."""
    with pytest.raises(TargetError, match="does not answer"):
        wait(target(httpx.ConnectError("refused")))


def test_an_unreachable_service_is_a_target_error_with_a_remedy() -> None:
    """Nothing listens on this port."""
    with pytest.raises(TargetError) as silent:
        ScoringServiceTarget(URL).serving()
    assert f"{URL}/health" in silent.value.where
    assert "start it" in silent.value.remedy


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        json.dumps({"serving": "latest", "wanted": None, "error": None}).encode(),
        json.dumps({"serving": 1, "wanted": None, "error": None}).encode(),
    ],
)
def test_what_is_no_scoring_service_is_refused(body: Any) -> None:
    """A proxy's page or another program never counts as serving."""
    with pytest.raises(TargetError, match="no scoring service"):
        target(httpx.Response(200, content=body)).serving()


def test_an_invalid_address_is_a_target_error() -> None:
    """A typing mistake in the settings is explained like a dead service."""
    with pytest.raises(TargetError):
        ScoringServiceTarget("http://[bad").serving()
