"""``notices`` tells the platform engineer who has not been reached, and whether anybody can be."""

import json
from pathlib import Path

import pytest

from gatewright.core.causes import happened
from gatewright.services.outbox import Outbox
from gatewright.wiring import Services
from tests.cli.conftest import Run
from tests.services.receivers import web_receiver
from tests.services.test_notifications import notice

ROUTES = 'routes:\n  - {role: "*", send: ["env:HOOK", "block:slack-webhook/on-call"]}\n'


@pytest.fixture
def routes(services: Services) -> Path:
    """The example tells everybody in two places."""
    path = services.settings.path(services.settings.notifications)
    path.parent.mkdir()
    path.write_text(ROUTES)
    return path


def test_a_test_message_says_who_can_be_reached(run: Run, routes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by a variable that works, and one by a variable that is not set; blocks are for Prefect."""
    with web_receiver() as hook:
        monkeypatch.setenv("HOOK", f"json://127.0.0.1:{hook.port}")
        code, out, _ = run("notices", "--test")
    assert (code, out.splitlines()[1].split()) == (0, ["env:HOOK", "taken"])
    assert hook.bodies[0]["title"] == "TEST: a message from Gatewright"
    monkeypatch.delenv("HOOK")
    code, out, _ = run("notices", "--test", "--json")
    assert code == 1
    assert json.loads(out) == [{"to": "env:HOOK", "result": "the variable holds no address that apprise knows."}]


def test_what_has_not_arrived_is_listed(run: Run, routes: Path, services: Services) -> None:
    """By place; with routes that name nobody, everybody was told."""
    outbox, told = Outbox(services.records, services.now), notice("triage-2000-3")
    outbox.put("triage", "release/r3", lambda before: happened(before, "r3", "asked"), lambda _, __: told)
    (pending,) = outbox.pending()
    outbox.tried(pending, "env:HOOK", services.now(), sent=False)
    code, out, _ = run("notices", "--json")
    assert code == 3
    assert [(row["to"], row["tries"], row["message"]) for row in json.loads(out)] == [
        ("env:HOOK", 1, "HOLD: triage 2000 waits for approval"),
        ("block:slack-webhook/on-call", 0, "HOLD: triage 2000 waits for approval"),
    ]
    routes.write_text("routes: []\n")
    assert run("notices")[:2] == (0, "Everybody was told.\n")


def test_routes_that_cannot_be_followed_are_an_error(run: Run, routes: Path) -> None:
    """With the line."""
    routes.write_text(ROUTES.replace("role:", "rule:"))
    code, out, err = run("notices")
    assert (code, out) == (1, "")
    assert "notifications.yaml:2" in err
    assert "did you mean `role`?" in err
