"""Take the pictures of these pages again: `.venv/bin/python docs/screenshots.py` (about four minutes).

Starts the demo in a directory of its own, waits for the approval of 1999, and takes each page at two widths, in both
user interfaces of Prefect where people may use either, and each command as a terminal shows it. For the page of the
monitor it asks the service about crashes of 2002, reports half of their outcomes, and starts the monitor. With
`--demo-output FILE` the pictures are those of a demo that is waiting already and wrote its output there.
It needs Chromium, and logs in as dana.reyes. Nothing is approved, and nothing is left running.
"""

import argparse
import functools
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import yaml
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTHS = (1400, 900)
HEIGHT = 1000
# Text on white: a small palette keeps a picture of this size below 100 kB.
COLOURS = 128
START_SECONDS = 400
PAGE_MILLISECONDS = 60_000
# The graph of a run draws itself after the page has loaded.
SETTLE_MILLISECONDS = 3000
COLUMNS, LINES = 100, 60
MODEL = "crash_triage"
# What the service is asked for the monitor's page: more than the policy's `minimum_rows`, and labels enough.
TRAFFIC_YEAR, TRAFFIC_ROWS, FLUSH_SECONDS = "2002", 1000, 60
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Waiting:
    """A demo that waits for an approval: the address of its run, of the scoring service, a login, its directory."""

    run: str
    service: str
    login: str
    state: Path
    release: str

    @property
    def ui(self) -> str:
        return self.run.split("/v2/")[0]

    @property
    def settings(self) -> dict[str, str]:
        """What its commands read; it holds secrets."""
        return dict(line.split("=", 1) for line in (self.state / "settings.env").read_text().splitlines())


Visit = Callable[[Page, Waiting], None]


def main() -> int:
    """Exit code 1 when there is no Chromium or the demo ends early."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--demo-output", type=Path, help="the output of a demo that is waiting already")
    arguments.add_argument("--only", default="", help="only pictures whose name begins with this")
    given = arguments.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium on this machine. Remedy: install it, such as with `apt-get install chromium`.")
        return 1
    IMAGES.mkdir(exist_ok=True)
    with demo(given.demo_output) as waiting, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, visit in PAGES.items():
            for width in WIDTHS if name.startswith(given.only) else ():
                take_page(browser, f"{name}-{width}.png", width, waiting, visit)
        for name, command in COMMANDS.items():
            if name.startswith(given.only):
                take_command(browser, f"{name}.png", waiting, command)
        browser.close()
    return 0


@contextmanager
def demo(output: Path | None) -> Iterator[Waiting]:
    """The demo that wrote ``output``, else `make demo` up to the approval of 1999."""
    if output is not None:
        yield waiting(output, None)
        return
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "demo.log"
        arguments = ["--state", f"{directory}/state", "--replay", "1998", "--stop-at", "1999"]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "deployments.local.demo", *arguments],
                cwd=ROOT,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield waiting(log, process)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=90)


def waiting(output: Path, process: subprocess.Popen[bytes] | None) -> Waiting:
    """What the demo prints once it waits. Raises RuntimeError with its output when it does not get there."""
    wanted = (
        r"http://\S+/v2/runs/flow-run/\S+",
        r"(?<=scoring service is at )http://[^\s]+[^\s.]",
        r"dana\.reyes:\S+",
        r"(?<=--key )\S+(?=/people/keys/)",
        r"(?<=gatewright approve )\S+",
    )
    deadline = time.monotonic() + START_SECONDS
    while True:
        text = output.read_text()
        run, service, login, state, release = (re.search(pattern, text) for pattern in wanted)
        if run and service and login and state and release:
            return Waiting(run[0], service[0], login[0], Path(state[0]), release[0])
        if process is None or process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the demo did not reach its approval:\n{text}")
        time.sleep(0.5)


def take_page(browser: Browser, name: str, width: int, at: Waiting, visit: Visit) -> None:
    """One page, with few colours."""
    user, secret = at.login.split(":", 1)
    page = browser.new_page(
        viewport={"width": width, "height": HEIGHT}, http_credentials={"username": user, "password": secret}
    )
    if visit is not login_box:
        # What Prefect's own login box leaves in the browser.
        page.add_init_script(f"localStorage.setItem('prefect-password', btoa('{at.login}'))")
    visit(page, at)
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    save(page.screenshot(), name)
    page.close()


def take_command(browser: Browser, name: str, at: Waiting, words: list[str]) -> None:
    """A command and its output, as a terminal of 100 columns shows them."""
    words = [word.format(release=at.release, model=MODEL, state=at.state) for word in words]
    ran = subprocess.run(
        [sys.executable, "-m", "gatewright.cli", *words],
        cwd=ROOT,
        env={**os.environ, **at.settings, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"},
        capture_output=True,
        text=True,
    )
    screen = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    lines = (ran.stdout + ran.stderr).splitlines()
    more = ["..."] if len(lines) > LINES else []
    screen.print(Text.from_ansi("\n".join(lines[:LINES] + more)))
    page = browser.new_page(viewport={"width": 1220, "height": HEIGHT})
    page.set_content(screen.export_svg(title=f"gatewright {' '.join(words)}"))
    save(page.locator("svg").screenshot(), name)
    page.close()


def save(picture: bytes, name: str) -> None:
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, method=Image.Quantize.FASTOCTREE)
    few.save(IMAGES / name, optimize=True)
    print(f"{name}: {(IMAGES / name).stat().st_size // 1024} kB")


def login_box(page: Page, at: Waiting) -> None:
    page.goto(at.run)
    expect(page.get_by_placeholder("admin:pass")).to_be_visible(timeout=PAGE_MILLISECONDS)


def run_page(page: Page, at: Waiting) -> None:
    page.goto(at.run)
    expect(page.get_by_text("Suspended").first).to_be_visible(timeout=PAGE_MILLISECONDS)


def form_top(page: Page, at: Waiting) -> None:
    run_page(page, at)
    page.get_by_role("button", name="Open menu").first.click(timeout=PAGE_MILLISECONDS)
    page.get_by_role("menuitem", name="Resume").click()
    form = page.get_by_role("dialog")
    expect(form).to_contain_text("What to write in the form", timeout=PAGE_MILLISECONDS)


def form_fields(page: Page, at: Waiting) -> None:
    form_top(page, at)
    page.get_by_role("dialog").get_by_label("Token").scroll_into_view_if_needed()


def form_in_v1(page: Page, at: Waiting) -> None:
    # The older interface shows no page to a deep link before it has started once.
    page.goto(at.ui)
    page.goto(at.run.replace("/v2/", "/"))
    page.get_by_role("button", name="Resume").click(timeout=PAGE_MILLISECONDS)
    expect(page.get_by_text("What to write in the form")).to_be_visible(timeout=PAGE_MILLISECONDS)


def artifact(kind: str) -> Visit:
    def visit(page: Page, at: Waiting) -> None:
        page.goto(f"{at.ui}/v2/artifacts/key/{MODEL.replace('_', '-')}-{kind}")
        # The versions of this page, the newest first.
        page.locator("a[href*='/artifacts/artifact/']").first.click(timeout=PAGE_MILLISECONDS)
        expect(page.get_by_text("Crash triage").first).to_be_visible(timeout=PAGE_MILLISECONDS)

    return visit


@functools.cache
def let_the_monitor_look(at: Waiting) -> None:
    """Ask the service, report every second outcome, wait until it has written the log, run the monitor."""
    folder = ROOT / "examples" / MODEL
    rows = pd.read_parquet(folder / "data" / f"{TRAFFIC_YEAR}.parquet").head(TRAFFIC_ROWS)
    asked = rows[yaml.safe_load((folder / "model.yaml").read_text())["features"]].astype(object)
    found = post(at, "score", {"rows": asked.where(asked.notna(), None).to_dict("records")})["predictions"]
    outcomes = zip(found, rows["dead"] == "dead", strict=True)
    labels = [{"prediction_id": said["prediction_id"], "label": int(dead)} for said, dead in outcomes]
    post(at, "labels", {"labels": labels[::2]})
    deadline = time.monotonic() + FLUSH_SECONDS
    while httpx.get(f"{at.service}/health").json()["unflushed"]:
        if time.monotonic() > deadline:
            raise RuntimeError("the scoring service did not write its log in time")
        time.sleep(0.5)
    run = ("-m", "prefect", "deployment", "run", "monitor/monitor", "--watch", "--param", f"model={MODEL}")
    subprocess.run([sys.executable, *run], cwd=ROOT, env={**os.environ, **at.settings}, check=True)


def post(at: Waiting, route: str, body: dict[str, object]) -> dict[str, list[dict[str, object]]]:
    """Raises httpx.HTTPStatusError with what the service said."""
    token = at.settings["GATEWRIGHT_LABELS_TOKEN" if route == "labels" else "GATEWRIGHT_SCORING_TOKEN"]
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{at.service}/{route}", json=body, headers=headers, timeout=60).raise_for_status().json()


def monitor_page(page: Page, at: Waiting) -> None:
    let_the_monitor_look(at)
    artifact("monitor")(page, at)


def artifact_in_v1(page: Page, at: Waiting) -> None:
    page.goto(at.ui)
    page.goto(f"{at.ui}/artifacts/key/{MODEL.replace('_', '-')}-evidence")
    page.locator("a[href*='/artifacts/artifact/']").first.click(timeout=PAGE_MILLISECONDS)
    expect(page.get_by_text("Crash triage").first).to_be_visible(timeout=PAGE_MILLISECONDS)


def report(page: Page, at: Waiting) -> None:
    page.goto(f"{at.ui}/gatewright/releases/{at.release}/report.html")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PAGE_MILLISECONDS)


def scoring_service(page: Page, at: Waiting) -> None:
    page.goto(at.service)


PAGES: dict[str, Visit] = {
    "login": login_box,
    "run": run_page,
    "approval-form": form_top,
    "approval-fields": form_fields,
    "approval-form-v1": form_in_v1,
    "evidence-page": artifact("evidence"),
    "evidence-page-v1": artifact_in_v1,
    "monitor-page": monitor_page,
    "model-card": artifact("model-card"),
    "runbook": artifact("runbook"),
    "report": report,
    "scoring-service": scoring_service,
}
COMMANDS: dict[str, list[str]] = {
    "command-releases": ["releases"],
    "command-show": ["show", "{release}"],
    "command-explain": ["explain", "{release}"],
    "command-diff": ["diff", "{release}"],
    "command-whatif": ["policy", "whatif", MODEL, "--set", "auc-floor.minimum=0.88"],
    "command-doctor": ["doctor"],
}

if __name__ == "__main__":
    sys.exit(main())
