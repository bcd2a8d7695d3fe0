"""Commands of the pages are ones that the command line takes as written."""

import shlex
from pathlib import Path

import pytest

from gatewright.cli import app

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
OURS = ("gatewright ", ".venv/bin/gatewright ")


def commands(page: Path) -> list[str]:
    """With lines that go on put together, without what the shell does to the output."""
    lines = page.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [line.split(" > ")[0].split(" | ")[0] for line in lines if line.startswith(OURS)]


COMMANDS = [pytest.param(line, id=f"{page.name}: {line}") for page in PAGES for line in commands(page)]


def test_the_pages_have_commands():
    """Or the test below would hold for none."""
    named = {line.split()[1] for page in PAGES for line in commands(page)}
    assert named > {"approve", "reject", "waive", "waivers", "break-glass", "verify", "export", "policy", "roster"}


@pytest.mark.parametrize("line", COMMANDS)
def test_a_documented_command_is_accepted_as_written(line: str):
    """Every option exists, and nothing that is needed is left out."""
    words = shlex.split(line, comments=True)[1:]
    _, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert bound.arguments or len(words) == 1
