"""Messages reach real receivers, formatted for each; none is lost, and none is sent more often than people can bear."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gatewright.core.causes import happened
from gatewright.core.errors import ServerError, StoreError
from gatewright.core.notices import Notice
from gatewright.core.routing import Route, Routes
from gatewright.services.notifications import TRIES, Notifications, send_by_apprise
from gatewright.services.outbox import Outbox
from gatewright.services.reports.message import message_of
from tests.fakes import MemoryStore
from tests.services.receivers import WebReceiver, mail_receiver, self_signed, web_receiver
from tests.services.reports.example_view import NOON

HOSTILE = (
    "rule: psi on <!channel> <@U6TTX1F9R> <at>Everyone</at> @here [click](http://evil.example) **b** `c` "
    "<script>alert(1)</script> &lt;!channel&gt; failed: 0.32 is not at most 0.25"
)
TOKEN = "TIiajkdnlazkcOXrIdevi7"


def notice(release_id: str = "triage-2000-1", event: str = "asked", **changes) -> Notice:
    given = {
        "event": event,
        "verdict": "review",
        "model": "triage",
        "period": "2000",
        "release_id": release_id,
        "headline": "waits for approval",
        "reasons": (HOSTILE,),
        "who": "1 of these must approve until 2026-03-05 12:00 UTC, by a signature: Dana Reyes (dana.reyes).",
        "next_step": f"gatewright approve {release_id}",
        "link": "http://prefect/v2/runs/flow-run/0e0d",
        "at": NOON,
    }
    return Notice(**given | changes)


class Post:
    """An outbox with a clock, and one place, ``env:HOOK``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, address: str, *, quiet: int = 0) -> None:
        monkeypatch.setenv("HOOK", address)
        self.store = MemoryStore()
        self.now: datetime = NOON
        self.routes = Routes(quiet_seconds=quiet, routes=(Route(role="*", send=("env:HOOK",)),))

    @property
    def outbox(self) -> Outbox:
        """As another process would have it: nothing is remembered."""
        return Outbox(self.store, lambda: self.now)

    def put(self, told: Notice) -> Notice | None:
        return self.outbox.put(
            told.model, f"release/{told.release_id}",
            lambda before: happened(before, told.release_id, told.event), lambda _, __: told,
        )  # fmt: skip

    def deliver(self, seconds: float = 20):
        """As another process would: nothing is remembered."""
        senders = {"env": send_by_apprise}
        return Notifications(self.outbox, self.routes, senders, lambda: self.now).deliver(seconds=seconds)

    def done(self) -> int:
        return sum(key.endswith("/done.json") for key in self.store.objects)


@pytest.fixture(scope="module")
def hook() -> Iterator[WebReceiver]:
    with web_receiver() as receiver:
        yield receiver


@pytest.fixture
def post(hook: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> Post:
    hook.bodies.clear()
    hook.paths.clear()
    hook.status, hook.hold = 200, None
    return Post(monkeypatch, f"json://127.0.0.1:{hook.port}/hook")


def test_a_webhook_gets_verdict_reasons_people_and_next_step(post: Post, hook: WebReceiver):
    """One JSON object; then nothing is left in the outbox."""
    post.put(notice())
    assert post.deliver().sent == ("env:HOOK",)
    (body,) = hook.bodies
    assert body["title"] == "HOLD: triage 2000 waits for approval"
    lines = body["message"].splitlines()
    assert lines[0].endswith("failed: 0.32 is not at most 0.25")
    assert lines[1].startswith("1 of these must approve until 2026-03-05 12:00 UTC")
    assert lines[2:4] == ["Next: gatewright approve triage-2000-1", "Run: http://prefect/v2/runs/flow-run/0e0d"]
    assert (post.deliver().sent, post.done()) == ((), 1)


def test_slack_mentions_nobody_and_shows_no_backslash(post: Post, hook: WebReceiver, monkeypatch):
    """apprise's own Markdown way rebuilds <!channel> from its escaped form."""
    monkeypatch.setattr("apprise.plugins.slack.NotifySlack.webhook_url", f"http://127.0.0.1:{hook.port}/services")
    monkeypatch.setenv("HOOK", f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}")
    send_by_apprise("HOOK", message_of([notice()]))
    (attachment,) = hook.bodies[0]["attachments"]
    assert hook.paths == [f"/services/T1JJ3T3L2/A1BRTD4JD/{TOKEN}"]
    assert attachment["title"] == "HOLD: triage 2000 waits for approval"
    assert not set("<>\\") & set(attachment["text"])
    assert "@here" not in attachment["text"]
    assert "://evil" not in attachment["text"]
    assert "](" not in attachment["text"]
    assert "Run: http://prefect/v2/runs/flow-run/0e0d" in attachment["text"]


def test_teams_gets_a_card_without_mentions_and_foreign_links(tmp_path: Path, monkeypatch):
    """An adaptive card over TLS, as a Power Automate workflow takes it."""
    with web_receiver(self_signed(tmp_path)) as workflow:
        monkeypatch.setenv("HOOK", f"workflows://127.0.0.1:{workflow.port}/flow/signature/?verify=no")
        send_by_apprise("HOOK", message_of([notice()]))
    (attachment,) = workflow.bodies[0]["attachments"]
    card = attachment["content"]
    assert (card["type"], card["msteams"]) == ("AdaptiveCard", {"width": "full"})
    title, text = (block["text"] for block in card["body"])
    assert title == "HOLD: triage 2000 waits for approval"
    assert r"\[click\]\(http:" in text
    assert "<at>" not in text
    assert "[http://prefect/v2/runs/flow-run/0e0d](<http://prefect/v2/runs/flow-run/0e0d>)" in text


def test_an_email_has_both_forms_and_no_foreign_markup(free_port: int, monkeypatch):
    """To a real mail server; what came from data is text in the HTML too."""
    with mail_receiver(free_port) as mails:
        to = "from=gatewright@example.org&to=dana@example.org&mode=insecure"
        monkeypatch.setenv("HOOK", f"mailto://127.0.0.1:{free_port}?{to}")
        send_by_apprise("HOOK", message_of([notice()]))
    (mail,) = mails
    assert (mail["Subject"], mail["To"]) == ("HOLD: triage 2000 waits for approval", "dana@example.org")
    page = mail.get_body(("html",)).get_content()
    assert '<a href="http://prefect/v2/runs/flow-run/0e0d">' in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert 'evil.example">' not in page
    assert "Next: gatewright approve triage-2000-1" in mail.get_body(("plain",)).get_content()


def test_five_releases_that_wait_are_one_message(post: Post, hook: WebReceiver):
    """What is in the outbox together is sent together."""
    for n in range(5):
        post.put(notice(f"r{n}", period=f"200{n}"))
    post.deliver()
    (body,) = hook.bodies
    assert body["title"] == "5 notices: HOLD triage 2000, HOLD triage 2001, HOLD triage 2002, and 2 more"
    assert all(f"gatewright approve r{n}" in body["message"] for n in range(5))


def test_a_place_has_its_quiet_minute_but_an_emergency_breaks_it(post: Post, hook: WebReceiver):
    """The second release of the minute waits for the next round; a broken glass does not, and takes it along."""
    post.routes = post.routes.model_copy(update={"quiet_seconds": 60})
    post.put(notice("r1"))
    post.deliver()
    post.now += timedelta(seconds=20)
    post.put(notice("r2"))
    assert post.deliver().sent == ()
    post.put(notice("r3", "break_glass", headline="goes live by one person alone", verdict="break_glass"))
    assert post.deliver().sent == ("env:HOOK",)
    assert [body["title"][:9] for body in hook.bodies] == ["HOLD: tri", "2 notices"]
    assert hook.bodies[1]["type"] == "warning"


def test_the_quiet_minute_ends(post: Post, hook: WebReceiver):
    """What was kept back is sent afterwards."""
    post.routes = post.routes.model_copy(update={"quiet_seconds": 60})
    post.put(notice("r1"))
    post.deliver()
    post.put(notice("r2"))
    post.now += timedelta(seconds=61)
    assert post.deliver().sent == ("env:HOOK",)
    assert len(hook.bodies) == 2


def test_what_a_receiver_refuses_is_sent_again_later_and_given_up_in_the_end(post: Post, hook: WebReceiver):
    """Five minutes, ten, twenty: eight tries in all, and the last one is said to be the last."""
    post.put(notice())
    hook.status = 503
    assert post.deliver().failed == ("env:HOOK",)
    assert post.deliver().failed == ()
    tries = 1
    while post.done() == 0:
        post.now += timedelta(minutes=5 * 2 ** (tries - 1), seconds=1)
        found = post.deliver()
        tries += 1
        assert found.given_up == (("env:HOOK",) if tries == TRIES else ())
    assert (tries, len(hook.paths), hook.bodies) == (TRIES, TRIES, [])
    post.now += timedelta(days=30)
    assert post.deliver().failed == ()


def test_a_receiver_that_is_well_again_gets_what_it_missed(post: Post, hook: WebReceiver):
    """Once."""
    post.put(notice())
    hook.status = 503
    post.deliver()
    hook.status = 200
    post.now += timedelta(minutes=5, seconds=1)
    post.deliver()
    assert (post.deliver().sent, len(hook.bodies)) == ((), 1)


def test_a_receiver_that_never_answers_holds_nobody_up(monkeypatch: pytest.MonkeyPatch):
    """The caller goes on although the receiver still thinks; the message stays in the outbox."""
    with web_receiver() as slow:
        slow.hold = threading.Event()
        post = Post(monkeypatch, f"json://127.0.0.1:{slow.port}")
        post.put(notice())
        found = post.deliver(seconds=0.2)
        assert (found.failed, post.done(), slow.bodies) == (("env:HOOK",), 0, [])


def test_one_broken_place_does_not_keep_others_from_being_told(post: Post, hook: WebReceiver):
    """Only what failed is sent again."""
    post.routes = Routes(quiet_seconds=0, routes=(Route(role="*", send=("env:UNSET", "env:HOOK")),))
    post.put(notice())
    found = post.deliver()
    assert (found.sent, found.failed) == (("env:HOOK",), ("env:UNSET",))
    post.now += timedelta(hours=1)
    assert post.deliver().sent == ()
    assert len(hook.bodies) == 1


def test_a_crash_between_store_and_receiver_sends_later(post: Post, hook: WebReceiver):
    """What was stored before the process died is sent by the next one."""
    post.put(notice())
    assert hook.bodies == []
    assert post.deliver().sent == ("env:HOOK",)


def test_a_crash_between_receiver_and_note_sends_twice_rather_than_never(post: Post, hook: WebReceiver):
    """The note that it was sent could not be written."""
    post.put(notice())
    error = StoreError("down.", where="store", remedy="wait.")
    post.store.fail("create", error, key_part="-sent-")
    with pytest.raises(StoreError):
        post.deliver()
    assert post.deliver().sent == ()
    post.now += timedelta(minutes=2)
    assert post.deliver().sent == ("env:HOOK",)
    assert len(hook.bodies) == 2


def test_two_processes_that_send_at_once_send_one_message(post: Post, hook: WebReceiver):
    """A release that ends while the sweep runs: the second looks while the first is sending."""
    post.put(notice())
    hook.hold = threading.Event()
    first = threading.Thread(target=post.deliver)
    first.start()
    while not any("-claim-" in key for key in post.store.objects):
        time.sleep(0.005)
    assert post.deliver().failed == ()
    hook.hold.set()
    first.join()
    assert len(hook.bodies) == 1


def test_a_place_without_a_sender_stays_in_the_outbox(post: Post):
    """A process without Prefect cannot load its blocks; one that can will send it."""
    post.routes = Routes(routes=(Route(role="*", send=("block:slack-webhook/on-call",)),))
    post.put(notice())
    assert post.deliver().failed == ()
    assert (post.done(), len(post.outbox.pending())) == (0, 1)


def test_nobody_to_tell_is_done_at_once(post: Post):
    """Without routes nothing piles up."""
    post.routes = Routes(routes=())
    post.put(notice())
    post.deliver()
    assert post.outbox.pending() == []


def test_an_address_is_never_logged_nor_stored(post: Post, caplog: pytest.LogCaptureFixture, monkeypatch, hook):
    """Neither by us nor by apprise, whether the receiver fails or the address is wrong."""
    hook.status = 500
    for address in (f"jsons://ops:{TOKEN}@127.0.0.1:1/{TOKEN}", f"slack://{TOKEN}", f"nonsense://{TOKEN}"):
        monkeypatch.setenv("HOOK", address)
        post.put(notice(f"r{len(address)}"))
        with caplog.at_level(logging.DEBUG):
            assert post.deliver().failed == ("env:HOOK",)
        post.now += timedelta(hours=1)
    assert "no message to env:HOOK" in caplog.text
    assert TOKEN not in caplog.text
    assert not any(TOKEN.encode() in body for body in post.store.objects.values())
    with pytest.raises(Exception, match="HOOK") as refused:
        send_by_apprise("HOOK", message_of([notice()]))
    assert TOKEN not in str(refused.value)


def test_a_refused_message_is_an_error(post: Post, hook: WebReceiver):
    """So that nobody counts it as sent."""
    hook.status = 403
    with pytest.raises(ServerError, match="did not take"):
        send_by_apprise("HOOK", message_of([notice()]))


def test_one_cause_is_stored_once_by_whoever_comes_first():
    """A second process that tells the same finds it told; two that race leave one message."""
    store, first, second = MemoryStore(), notice(), notice(link="")
    outbox, racing = Outbox(store, lambda: NOON), Outbox(store, lambda: NOON)

    def late(before):
        if before is None:
            racing.put("triage", "release/r1", lambda b: happened(b, "r1", "asked"), lambda _, __: first)
        return happened(before, "r1", "asked")

    assert outbox.put("triage", "release/r1", late, lambda _, __: second) is None
    assert [outbox.notice(pending) for pending in outbox.pending()] == [first]
