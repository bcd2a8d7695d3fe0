"""A real browser and a real `make demo`, in a directory of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium of this machine; CI demands it, elsewhere its absence skips these tests.

    It ends with its tests: the Prefect UI's moving timeline takes half a core for as long as it is open.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("GATEWRIGHT_REQUIRE_BROWSER"):
            pytest.fail("no Chromium found, and GATEWRIGHT_REQUIRE_BROWSER is set")
        pytest.skip("no Chromium on this machine: install it to run the browser tests")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=FLAGS) as running:
        yield running


class Demo:
    """`make demo` as somebody runs it: its output is read, and it is ended with Ctrl-C."""

    def __init__(self, state: Path, *arguments: str) -> None:
        self.state = state
        self.output = state.parent / f"{state.name}-{time.monotonic_ns()}.log"
        with self.output.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deployments.local.demo", "--state", str(state), *arguments],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, pattern: str, *, seconds: float) -> re.Match[str]:
        """The first match in the output; fails with all of the output when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while True:
            text = self.output.read_text()
            found = re.search(pattern, text)
            if found:
                return found
            assert self._process.poll() is None, f"ended with {self._process.returncode}:\n{text}"
            assert time.monotonic() < deadline, f"`{pattern}` not in:\n{text}"
            time.sleep(0.3)

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=90)

    def exit_code(self, *, seconds: float) -> int:
        return self._process.wait(timeout=seconds)


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "state"
