"""Messages from inside Prefect: through its blocks, from the sweep, and never in the way of a release."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from prefect import flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from flows.sweep import sweep
from gatewright.core.errors import ServerError
from gatewright.services.notifications import Notifications
from gatewright.services.outbox import Outbox
from gatewright.services.reports.message import Message
from tasks.notify import deliver, notify, routes_of, telling_of
from tests.flows.test_sweep import events, release
from tests.services.receivers import WebReceiver, web_receiver
from tests.services.reports.example_view import NOON
from tests.services.waiting_release import WaitingRelease

__all__ = ["events", "release"]

ROUTES = 'routes:\n  - {role: release-manager, send: ["env:HOOK", "block:custom-webhook/hook"]}\n'


@pytest.fixture
def hook(release: WaitingRelease, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebReceiver]:
    """It is told by a variable and by a block of the real server."""
    routes = release.settings.path("policies/notifications.yaml")
    routes.parent.mkdir()
    routes.write_text(ROUTES)
    with web_receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.port}"
        monkeypatch.setenv("HOOK", f"{url.replace('http', 'json')}/env")
        body = {"subject": "{{subject}}", "text": "{{body}}"}
        block = CustomWebhookNotificationBlock(name="hook", url=f"{url}/block", json_data=body)
        block.save("hook", overwrite=True)
        yield receiver


@flow(name="tells")
def tells(release: WaitingRelease) -> None:
    """Stands for a release that has something to tell."""
    notify(release.services(), "triage")


def test_the_sweep_sends_by_variable_and_by_block_once(release: WaitingRelease, hook: WebReceiver, events):
    """What the ledger says and no run has told, and the reminder, when half of the window is over."""
    release.book.now = NOON + timedelta(minutes=10)
    assert sweep(return_state=True).name == "Swept"
    assert sweep(return_state=True).name == "Swept"
    assert sorted(hook.paths) == ["/block", "/env"]
    block = next(body for body in hook.bodies if "subject" in body)
    assert block["subject"] == "PASS: triage 2000 waits for approval"
    assert "Dana (dana.reyes, release-manager)" in block["text"]

    release.book.now = NOON + timedelta(hours=37)
    sweep(return_state=True)
    assert hook.bodies[-1].get("title", hook.bodies[-1].get("subject")).endswith("half of its time is over")
    assert len(hook.bodies) == 4


def test_a_message_that_nobody_takes_shows_in_the_state_of_the_sweep(release, hook: WebReceiver, events):
    """The run that tries for the last time says so, and the next one does not."""
    services = release.services()
    telling_of(services).what_happened("triage")
    senders = {"env": refuse, "block": refuse}
    nobody = Notifications(Outbox(services.records, services.now), routes_of(services), senders, services.now)
    for minutes in (10, 16, 27, 48, 89, 170, 331):
        release.book.now = NOON + timedelta(minutes=minutes)
        assert len(nobody.deliver(seconds=5).failed) == 2
    hook.status = 503
    release.book.now = NOON + timedelta(hours=11)
    assert [sweep(return_state=True).name for _ in range(2)] == ["Incomplete", "Swept"]


def refuse(name: str, message: Message) -> None:
    raise ServerError("busy.", where=name, remedy="wait.")


@pytest.mark.parametrize("routes", ["routes: [", 'routes:\n  - {role: "*", send: ["block:slack-webhook/none"]}\n'])
def test_wrong_routes_do_not_stop_a_release(release: WaitingRelease, hook: WebReceiver, routes: str):
    """It goes on, and what was to be told waits in the outbox for the file to be corrected."""
    file = release.settings.path("policies/notifications.yaml")
    file.write_text(routes)
    assert tells(release, return_state=True).is_completed()
    file.write_text(ROUTES)
    release.book.now += timedelta(hours=1)

    @flow(name="delivers")
    def delivers() -> None:
        deliver(release.services(), seconds=10)

    delivers()
    assert len(hook.bodies) == 2


def test_what_is_wrong_with_us_does_not_stop_a_release_either(release: WaitingRelease, monkeypatch, caplog):
    """Whatever is raised; only its kind is logged, since nobody knows what it quotes."""

    def broken(_: object) -> None:
        raise RuntimeError("slack://secret")

    monkeypatch.setattr("tasks.notify.telling_of", broken)
    assert tells(release, return_state=True).is_completed()
    assert "RuntimeError" in caplog.text
    assert "slack://secret" not in caplog.text
