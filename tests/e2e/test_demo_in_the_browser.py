"""The main job as its users do it: start the demo, log in, approve in the Prefect UI, see the model answer, go back."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import ROOT, Demo

REASON = "Ranks better than the champion, fair to all groups."
SECONDS = 1000  # Playwright counts in milliseconds.

pytestmark = pytest.mark.timeout(900)


def serving(url: str) -> str | None:
    return httpx.get(f"{url}/health", timeout=10).json()["serving"]


def wait_until_serving_changes(url: str, before: str | None, *, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    while serving(url) in (before, None):
        assert time.monotonic() < deadline, f"{url} still serves {before}"
        time.sleep(0.5)
    return str(serving(url))


def log_in(browser: Browser, run: str, credential: str) -> Page:
    """A window of its own for each person, at Prefect's own login box."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(run)
    page.get_by_placeholder("admin:pass").fill(credential, timeout=60 * SECONDS)
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_text("Suspended").first).to_be_visible(timeout=60 * SECONDS)
    return page


def open_form(page: Page) -> None:
    page.get_by_role("button", name="Open menu").first.click(timeout=60 * SECONDS)
    page.get_by_role("menuitem", name="Resume").click()
    expect(page.get_by_role("dialog")).to_contain_text("What to write in the form")


def fill(page: Page, *, approver: str) -> None:
    form = page.get_by_role("dialog")
    form.get_by_label("Decision").click()
    page.get_by_role("option", name="approve").click()
    form.get_by_label("Approver").fill(approver)
    form.get_by_label("Reason").fill(REASON)
    form.get_by_label("Token").fill("none")
    form.get_by_role("button", name="Resume").click()


def settings_of(state: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (state / "settings.env").read_text().splitlines())


def command(state: Path, *arguments: str, accepts: tuple[int, ...] = (0,)) -> str:
    """What `gatewright ...` prints in another shell; its exit code must be one of ``accepts``."""
    done = subprocess.run(
        [sys.executable, "-m", "gatewright.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings_of(state)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in accepts, done.stderr
    return done.stdout


def left_running(state: Path) -> list[str]:
    """Processes that still speak of the demo's directory."""
    mine = os.getpid()
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "environ"]):
        words = [*(process.info["cmdline"] or []), *(process.info["environ"] or {}).values()]
        if process.info["pid"] != mine and any(str(state) in word for word in words):
            found.append(" ".join(process.info["cmdline"] or []))
    return found


def test_a_release_is_approved_in_the_prefect_ui_and_the_new_model_answers(browser: Browser, state: Path) -> None:
    """Replay 1998, open 1999: no wrong secret, empty form or author approves, Dana does; then back."""
    interrupted_at_work(state)
    demo = Demo(state, "--replay", "1998", "--stop-at", "1999")
    try:
        demo.wait_for("a new run takes over release crash_triage-1998-1", seconds=120)
        run = demo.wait_for(r"http://\S+/v2/runs/flow-run/\S+", seconds=360).group(0)
        service = demo.wait_for(r"scoring service is at (http://\S+)\. ", seconds=10).group(1)
        champion = serving(service)
        author, dana = (demo.wait_for(rf"{name}:\S+", seconds=10).group(0) for name in ("kim.larsen", "dana.reyes"))
        refuse_a_wrong_secret(browser, run)

        page = log_in(browser, run, author)
        open_form(page)
        page.get_by_role("dialog").get_by_role("button", name="Resume").click()
        expect(page.get_by_text("Choose a decision, and say why.")).to_be_visible()
        assert serving(service) == champion
        fill(page, approver="dana.reyes")
        again_where_it_was_not_taken(page, run, settings_of(state), approver="dana.reyes")
        wait_for_second_question(run, settings_of(state))
        assert serving(service) == champion

        read_the_report(browser, run, dana)
        page = log_in(browser, run, dana)
        open_form(page)
        expect(page.get_by_role("dialog")).to_contain_text("PASS: Crash triage")
        expect(page.get_by_role("dialog")).to_contain_text("The last answer was refused")
        expect(page.get_by_role("dialog")).to_contain_text("the author of a candidate cannot approve it")
        fill(page, approver="sam.okafor")
        again_where_it_was_not_taken(page, run, settings_of(state), approver="sam.okafor")

        candidate = wait_until_serving_changes(service, champion, seconds=120)
        demo.wait_for("release crash_triage-1999-1 ended: deployed", seconds=60)
        expect(page.get_by_text("Deployed").first).to_be_visible(timeout=60 * SECONDS)
        assert candidate in command(state, "lineage", "crash_triage-1999-1")
        assert "dana.reyes" in command(state, "releases")
        assert "approve by dana.reyes as release-manager (gateway)" in command(state, "show", "crash_triage-1999-1")

        roll_back(state, dana)
        assert wait_until_serving_changes(service, candidate, seconds=120) == champion
        assert "dana.reyes" in (moves := command(state, "history", "crash_triage"))
        assert "sam.okafor" not in moves
    finally:
        code = demo.interrupt()
    assert code == 0
    assert left_running(state) == []


def interrupted_at_work(state: Path) -> None:
    """Ctrl-C while the gates of 1998 are at work."""
    demo = Demo(state, "--replay", "1998", "--stop-at", "1999")
    try:
        demo.wait_for("1998: train on all years before", seconds=180)
        deadline = time.monotonic() + 60
        while '"open"' not in command(state, "show", "crash_triage-1998-1", "--json", accepts=(1, 3)):
            assert time.monotonic() < deadline
            time.sleep(1)
    finally:
        assert demo.interrupt() == 0
    assert left_running(state) == []


def refuse_a_wrong_secret(browser: Browser, run: str) -> None:
    """The login box stays, and nothing of the run is shown."""
    page = browser.new_page()
    page.goto(run)
    page.get_by_placeholder("admin:pass").fill("dana.reyes:not her secret", timeout=60 * SECONDS)
    with page.expect_response(lambda answer: answer.url.endswith("/admin/version") and answer.status == 401):
        page.get_by_role("button", name="Login").click()
    expect(page.get_by_placeholder("admin:pass")).to_be_visible()
    page.close()


def again_where_it_was_not_taken(page: Page, run: str, settings: dict[str, str], *, approver: str) -> None:
    """Prefect's database may be locked when somebody resumes; the run waits on then, and a person tries again."""
    for _ in range(2):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if state_of(run, settings)["type"] != "PAUSED":
                return
            time.sleep(0.5)
        page.reload()
        open_form(page)
        fill(page, approver=approver)


def state_of(run: str, settings: dict[str, str]) -> dict[str, Any]:
    name, _, secret = settings["PREFECT_API_AUTH_STRING"].partition(":")
    url = f"{settings['PREFECT_API_URL']}/flow_runs/{run.rsplit('/', 1)[1]}"
    found: dict[str, Any] = httpx.get(url, auth=(name, secret), timeout=10).json()["state"]
    return found


def read_the_report(browser: Browser, run: str, credential: str) -> None:
    """From the evidence page, as somebody who is logged in; nobody else is let in, and the browser asks who it is."""
    name, _, secret = credential.partition(":")
    page = browser.new_page(http_credentials={"username": name, "password": secret})
    page.add_init_script(f"localStorage.setItem('prefect-password', btoa('{credential}'))")
    page.goto(f"{run.split('/runs/')[0]}/artifacts/key/crash-triage-evidence")
    page.locator("a[href*='/artifacts/artifact/']").first.click(timeout=60 * SECONDS)
    link = page.get_by_role("link", name="Release report").first
    expect(link).to_be_visible(timeout=60 * SECONDS)
    address = str(link.get_attribute("href"))
    stranger = httpx.get(address, timeout=10)
    assert (stranger.status_code, stranger.headers["www-authenticate"][:5]) == (401, "Basic")
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Crash triage")
    assert page.evaluate("document.scripts.length") == 0
    page.close()


def wait_for_second_question(run: str, settings: dict[str, str]) -> None:
    """The run goes on, refuses the answer, and is suspended again under a new key."""
    url = f"{settings['PREFECT_API_URL']}/flow_runs/{run.rsplit('/', 1)[1]}"
    name, _, secret = settings["PREFECT_API_AUTH_STRING"].partition(":")
    deadline = time.monotonic() + 120
    while True:
        state = state_of(run, settings)
        if state["type"] == "PAUSED" and state["state_details"]["pause_key"] == "approval-2":
            # The form is there a moment after the state, its description last.
            description = state["state_details"]["run_input_keyset"]["description"]
            if httpx.get(f"{url}/input/{description}", auth=(name, secret), timeout=10).status_code == 200:
                return
        assert time.monotonic() < deadline, state
        time.sleep(0.5)


def roll_back(state: Path, credential: str) -> None:
    """The command that the evidence page prints, as Dana: whatever actor she types, the gateway writes her name."""
    given = {"model": "crash_triage", "actor": "sam.okafor", "reason": "The rehearsal of a rollback."}
    parameters = [word for name, value in given.items() for word in ("--param", f"{name}={value}")]
    server = {"PREFECT_API_URL": settings_of(state)["PREFECT_API_URL"], "PREFECT_API_AUTH_STRING": credential}
    subprocess.run(
        [sys.executable, "-m", "prefect", "deployment", "run", "rollback/rollback", *parameters],
        cwd=ROOT,
        env={**os.environ, **server},
        timeout=120,
        check=True,
    )


def test_a_second_start_continues_where_the_first_one_stopped(browser: Browser, state: Path) -> None:
    """Both releases are deployed already, so nothing is trained again; nor are the deployments registered again."""
    demo = Demo(state, "--replay", "1998", "--stop-at", "1999", "--once")
    try:
        assert demo.exit_code(seconds=180) == 0
    finally:
        demo.interrupt()
    output = demo.output.read_text()
    assert "1998: release crash_triage-1998-1 is deployed" in output
    assert "everything is deployed" in output
    assert "train" not in output
    assert "deployments: " not in output, "they are registered already"
    assert left_running(state) == []
