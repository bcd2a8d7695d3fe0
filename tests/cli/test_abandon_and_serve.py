"""``abandon`` ends what nobody runs any more, and only that; ``serve`` follows the channel."""

import json
import time

import pytest
import uvicorn
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient

from gatewright.core.channels import ChannelEntry
from gatewright.core.releases import ReleaseState
from gatewright.wiring import Services
from tests.cli.conftest import Run
from tests.services.reports.example_view import MODEL, NOON, SPEC

PEOPLE = """
version: 1
people:
  - {id: dana.reyes, name: Dana, roles: [release-manager], joined: 2024-01-01}
  - {id: lou.gone, name: Lou, roles: [release-manager], joined: 2024-01-01, left: 2026-03-01}
"""
OPEN, DEPLOYED = "triage-2000-3", "triage-2000-1"
DANA = ("--actor", "dana.reyes", "--reason", "its worker was lost")


@pytest.fixture(autouse=True)
def files(services: Services) -> None:
    """The roster and the model spec as people wrote them."""
    root = services.settings.root
    (root / "policies").mkdir()
    (root / "policies" / "roster.yaml").write_text(PEOPLE)
    (root / "examples" / "triage").mkdir(parents=True)
    (root / "examples" / "triage" / "model.yaml").write_text(yaml.safe_dump(SPEC.model_dump(mode="json")))


def state(services: Services, release: str) -> ReleaseState:
    return services.view(release).state


def moves(services: Services) -> list[tuple[str, str | None]]:
    return [(entry.action, entry.model_sha256) for _, entry in services.channels.history("triage", "production")]


def move_to_candidate(services: Services, action: str = "deploy") -> None:
    """The open release has moved the channel, and its run has died."""
    entry = ChannelEntry(
        action=action,
        release_id=OPEN,
        model_sha256="b8" * 32,
        actor="dana.reyes",
        reason="better",
        operation=OPEN,
        at=NOON,
    )
    services.channels.move("triage", "production", entry, expected=len(moves(services)))


def test_an_open_release_is_ended_as_failed_with_who_and_why(run: Run, services: Services) -> None:
    """The next release can open."""
    code, out, _ = run("abandon", OPEN, *DANA)
    assert (code, out) == (0, f"{OPEN}: failed (abandoned)\n")
    event = services.ledger.entries("triage")[-1]
    assert (event.kind, event.actor) == ("failed", "dana.reyes")
    assert event.note == "abandoned by dana.reyes: its worker was lost"
    assert moves(services) == [("deploy", MODEL), ("confirm", MODEL)]


def test_the_champion_is_put_back_when_the_release_had_moved_the_channel(run: Run, services: Services) -> None:
    """Its move was never confirmed."""
    move_to_candidate(services)
    code, out, _ = run("abandon", OPEN, *DANA)
    assert (code, out) == (0, f"{OPEN}: failed (abandoned; the champion is back)\n")
    assert moves(services)[-1] == ("revert", MODEL)


def test_abandoning_twice_puts_the_champion_back_after_a_crash_between(run: Run, services: Services) -> None:
    """The first call ended the release and died before it came to the channel."""
    move_to_candidate(services)
    services.releases.close(services.releases.opening(OPEN), ReleaseState.FAILED, "dana.reyes")
    code, out, _ = run("abandon", OPEN, *DANA)
    assert (code, out) == (0, f"{OPEN}: failed (it had ended before, and is unchanged; the champion is back)\n")
    assert moves(services)[-1] == ("revert", MODEL)


@pytest.mark.parametrize(("release", "ended"), [(DEPLOYED, "deployed"), ("triage-2000-2", "blocked")])
def test_a_release_that_has_ended_stays_as_it_is(run: Run, services: Services, release: str, ended: str) -> None:
    """A deployed model goes on serving: taking it back is a rollback."""
    before = services.ledger.entries("triage")
    code, out, _ = run("abandon", release, *DANA)
    assert (code, out) == (0, f"{release}: {ended} (it had ended before, and is unchanged)\n")
    assert services.ledger.entries("triage") == before
    assert moves(services) == [("deploy", MODEL), ("confirm", MODEL)]


@pytest.mark.parametrize("actor", ["nobody.known", "lou.gone", "", "\x1b[2J"])
def test_strangers_are_refused(run: Run, services: Services, actor: str) -> None:
    """And those who have left; nothing changes."""
    move_to_candidate(services)
    code, out, err = run("abandon", OPEN, "--actor", actor, "--reason", "because")
    assert (code, out) == (1, "")
    assert "is not an active person" in err
    assert "\x1b" not in err
    assert state(services, OPEN) is ReleaseState.OPEN
    assert moves(services)[-1] == ("deploy", "b8" * 32)


def test_abandon_answers_machines_in_json(run: Run, services: Services) -> None:
    """What it was, what it is, and whether the channel moved."""
    move_to_candidate(services)
    _, out, _ = run("abandon", OPEN, *DANA, "--json")
    assert json.loads(out) == {"release": OPEN, "state": "failed", "was": "open", "champion_put_back": True}
    _, out, _ = run("abandon", OPEN, *DANA, "--json")
    assert json.loads(out) == {"release": OPEN, "state": "failed", "was": "failed", "champion_put_back": False}


def test_an_unknown_release_cannot_be_abandoned(run: Run) -> None:
    """Nothing is guessed."""
    code, _, err = run("abandon", "triage-1990", *DANA)
    assert code == 1
    assert "no release and no model begins with" in err


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[FastAPI, dict]]:
    """What uvicorn was asked to run, instead of running it."""
    found: list[tuple[FastAPI, dict]] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: found.append((app, options)))
    return found


def test_serve_follows_the_models_channel_on_loopback(run: Run, started: list[tuple[FastAPI, dict]]) -> None:
    """The app wants what the channel names, and says that the model's bytes are not there."""
    assert run("serve", "triage", "--port", "8123", "--poll-seconds", "0.05")[0] == 0
    app, options = started[0]
    assert (options["host"], options["port"]) == ("127.0.0.1", 8123)
    with TestClient(app) as client:
        deadline = time.monotonic() + 20
        while not (health := client.get("/health").json())["error"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert (health["model"], health["channel"], health["wanted"]) == ("triage", "production", MODEL)
        assert client.get("/ready").status_code == 503


def test_an_address_that_others_reach_is_not_served_without_tokens(
    run: Run, started: list[tuple[FastAPI, dict]]
) -> None:
    """No service is started, and the remedy makes a token."""
    code, _, err = run("serve", "triage", "--host", "0.0.0.0")
    assert (code, started) == (1, [])
    assert "no token is set" in err
    assert "secrets.token_urlsafe(32)" in err


def test_serving_an_unknown_model_is_an_error(run: Run, started: list[tuple[FastAPI, dict]]) -> None:
    """No service is started."""
    code, _, err = run("serve", "triaeg")
    assert code == 1
    assert "did you mean `triage`?" in err
    assert started == []
