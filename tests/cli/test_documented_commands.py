"""Commands of the how-to pages are ones that the command line takes as written."""

import shlex
from pathlib import Path

import pytest

from gatewright.cli import app

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = [
    line.strip()
    for page in ("approve.md", "waivers.md")
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines()
    if line.startswith("gatewright ")
]


def test_the_pages_have_commands():
    """Or the test below would hold for none."""
    assert {line.split()[1] for line in COMMANDS} == {"approve", "reject", "waive", "waivers", "break-glass"}


@pytest.mark.parametrize("line", COMMANDS)
def test_a_documented_command_is_accepted_as_written(line: str):
    """Every option exists, and nothing that is needed is left out."""
    _, bound, _ = app.parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)
    assert bound.arguments or line.endswith("waivers")
