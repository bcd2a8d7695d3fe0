"""Take the pictures of these pages again: `.venv/bin/python docs/screenshots.py` (about two minutes).

Starts the demo in a directory of its own, waits for the approval of 1999, and takes each picture at two widths.
It needs Chromium, and logs in as dana.reyes. Nothing is approved, and nothing is left running.
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTHS = (1400, 900)
HEIGHT = 1000
# Text on white: a small palette keeps a picture of this size below 100 kB.
COLOURS = 128
START_SECONDS = 300
# The graph of a run draws itself after the page has loaded.
SETTLE_MILLISECONDS = 3000
MODEL = "crash-triage"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

Visit = Callable[[Page, str, str], None]


def main() -> int:
    """Exit code 1 when there is no Chromium or the demo ends early."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium on this machine. Remedy: install it, such as with `apt-get install chromium`.")
        return 1
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        demo(Path(directory)) as where,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        for width in WIDTHS:
            for name, visit in PICTURES.items():
                take(browser, f"{name}-{width}.png", width, where, visit)
        browser.close()
    return 0


@contextmanager
def demo(directory: Path) -> Iterator[tuple[str, str, str]]:
    """`make demo` up to the approval of 1999: the waiting run, the scoring service, and Dana's login."""
    arguments = ["--state", str(directory / "state"), "--replay", "1998", "--stop-at", "1999"]
    output = directory / "demo.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.local.demo", *arguments],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield addresses(output, process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=90)


def addresses(output: Path, process: subprocess.Popen[bytes]) -> tuple[str, str, str]:
    """What the demo prints once it waits. Raises RuntimeError with its output when it does not get there."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        text = output.read_text()
        run = re.search(r"http://\S+/v2/runs/flow-run/\S+", text)
        service = re.search(r"scoring service is at (http://\S+)\. ", text)
        login = re.search(r"dana\.reyes:\S+", text)
        if run and service and login:
            return run.group(0), service.group(1), login.group(0)
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the demo did not reach its approval:\n{text}")
        time.sleep(0.5)


def take(browser: Browser, name: str, width: int, where: tuple[str, str, str], visit: Visit) -> None:
    """One picture, with few colours. ``where`` is what `demo` gives."""
    run, service, login = where
    page = browser.new_page(viewport={"width": width, "height": HEIGHT})
    if visit is not login_box:
        # What Prefect's own login box leaves in the browser.
        page.add_init_script(f"localStorage.setItem('prefect-password', btoa('{login}'))")
    visit(page, run, service)
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE).save(IMAGES / name, optimize=True)
    page.close()
    print(f"{name}: {(IMAGES / name).stat().st_size // 1024} kB")


def login_box(page: Page, run: str, service: str) -> None:
    page.goto(run)
    expect(page.get_by_placeholder("admin:pass")).to_be_visible(timeout=60_000)


def run_page(page: Page, run: str, service: str) -> None:
    page.goto(run)
    expect(page.get_by_text("Suspended").first).to_be_visible(timeout=60_000)


def form_top(page: Page, run: str, service: str) -> None:
    run_page(page, run, service)
    page.get_by_role("button", name="Open menu").first.click(timeout=60_000)
    page.get_by_role("menuitem", name="Resume").click()
    expect(page.get_by_role("dialog")).to_contain_text("What to write in the form")


def form_fields(page: Page, run: str, service: str) -> None:
    form_top(page, run, service)
    page.get_by_role("dialog").get_by_label("Token").scroll_into_view_if_needed()


def artifact(kind: str) -> Visit:
    def visit(page: Page, run: str, service: str) -> None:
        page.goto(f"{run.split('/runs/')[0]}/artifacts/key/{MODEL}-{kind}")
        # The versions of this page, the newest first.
        page.locator("a[href*='/artifacts/artifact/']").first.click(timeout=60_000)
        expect(page.get_by_text("Crash triage").first).to_be_visible(timeout=60_000)

    return visit


def scoring_service(page: Page, run: str, service: str) -> None:
    page.goto(service)


PICTURES: dict[str, Visit] = {
    "login": login_box,
    "run": run_page,
    "approval-form": form_top,
    "approval-fields": form_fields,
    "evidence-page": artifact("evidence"),
    "model-card": artifact("model-card"),
    "scoring-service": scoring_service,
}

if __name__ == "__main__":
    sys.exit(main())
