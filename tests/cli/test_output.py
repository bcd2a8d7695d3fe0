"""What commands print can be read at eighty columns, copied, piped, and cannot move the cursor."""

import io
import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from gatewright.cli.output import Page, print_line, print_table
from tests.cli.conftest import COLOUR, Run

ROWS = [
    {"release": "triage-2000-1", "state": "deployed", "by": "dana.reyes", "reason": "word " * 30, "model": "a" * 64}
]


def printed(width: int, *, terminal: bool = True) -> tuple[Page, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None, highlight=False, markup=False)
    return Page(console), file


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_a_table_loses_nothing_at_any_width(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What has no room wraps or follows below; every word and digit is there."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    print_table(ROWS, empty="")
    lines = COLOUR.sub("", capsys.readouterr().out).splitlines()
    together = "".join("".join(lines).split())
    assert max(map(len, lines)) <= max(width, 64)
    assert together.count("word") == 30
    assert together.count("a" * 64) == 1
    assert "dana.reyes" in together


def test_a_pipe_gets_one_line_a_row_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    """So that `awk` and `grep` work."""
    print_table(ROWS, empty="")
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert "\x1b" not in out


def test_no_color_is_honoured_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """https://no-color.org"""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in run("show", "triage-2000-1")[1]


@given(st.text(), st.text(), st.integers(30, 120))
def test_no_text_can_move_the_cursor(words: str, label: str, width: int) -> None:
    """Control, bidirectional and format characters never come through."""
    page, file = printed(width)
    page.line(words, label=label, label_width=9, indent=2)
    page.heading(words)
    page.command(words)
    kept = (c for c in file.getvalue() if c != "\n")
    assert not [c for c in kept if unicodedata.category(c).startswith("C")]


def test_a_paragraph_wraps_below_its_first_word() -> None:
    """The label stands alone at the left."""
    page, file = printed(30)
    page.line("one two three four five six", label="next", label_width=6, indent=2)
    assert file.getvalue() == "  next   one two three four\n         five six\n"


def test_a_command_is_never_broken() -> None:
    """It is there to be copied."""
    page, file = printed(30)
    page.command("gatewright waive triage --rule feature-drift --days 30", indent=2)
    assert file.getvalue() == "  gatewright waive triage --rule feature-drift --days 30\n"


@given(st.dictionaries(st.text(), st.text()))
@example({"a": "b\u2028c\x85\x1b[2J"})
def test_a_line_of_json_is_one_line_and_reads_back(value: dict[str, str]) -> None:
    """Whatever the text holds."""
    file = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", file)
        print_line(value)
    assert len(file.getvalue().splitlines()) == 1
    assert json.loads(file.getvalue()) == value
