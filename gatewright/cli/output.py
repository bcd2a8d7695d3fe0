"""How commands print: colour and wrapped lines on a terminal, plain aligned lines in a pipe, JSON for machines.

Whatever is printed goes through ``plain``: text from data or people cannot move the cursor.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from gatewright.cli.text_plots import draws_blocks
from gatewright.core.remedies import Step
from gatewright.services.reports.escape import plain

__all__ = ["Json", "Page", "print_json", "print_line", "print_table", "styled", "time_left"]

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON instead of text.")]
# What lines that are not wrapped aim at.
PIPE_WIDTH = 100
# A column that would have less room than this is no column.
MIN_WRAPPED = 24
_GOOD, _DOUBT, _BAD, _QUIET = "bold green", "bold yellow", "bold red", "dim"
_STYLES = {
    **dict.fromkeys(("PASS", "PASSED", "OK", "DEPLOYED", "deployed", "confirm", "better", "done"), _GOOD),
    **dict.fromkeys(("HOLD", "INCONCLUSIVE", "WARN", "warning", "waiting", "WAITING"), _DOUBT),
    **dict.fromkeys(("rollback", "running", "open"), _DOUBT),
    **dict.fromkeys(("BLOCK", "FAIL", "FAILED", "ERROR", "critical", "blocked", "rejected"), _BAD),
    **dict.fromkeys(("failed", "revert", "worse"), _BAD),
    **dict.fromkeys(("expired", "not shown", "cannot tell", "-", "reported only", "excused"), _QUIET),
}


def print_json(value: object) -> None:
    """Indented JSON on standard output, every character that a terminal could obey as an escape.

    Raises ValueError for NaN and infinity, which are no JSON.
    """
    print(_safe_json(value, indent=2))


def print_line(value: object) -> None:
    """The same in one line, at once: for those who read while a command runs."""
    print(_safe_json(value, indent=None), flush=True)


def styled(words: object) -> Text:
    """Words in the colour of what they say, made safe."""
    text = plain(words)
    return Text(text, style=_STYLES.get(text, ""))


def print_table(rows: Sequence[Mapping[str, Any]], *, empty: str) -> None:
    """A row under the keys of the first, one line each.

    Where a terminal is too narrow the widest column wraps, or what has no room follows below its row.
    """
    if not rows:
        print(empty)
        return
    header = [key.replace("_", " ") for key in rows[0]]
    cells = [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(len(line[i]) for line in (header, *cells)) for i in range(len(header))]
    page = Page()
    if page.console.is_terminal:
        _Grid(page, header, widths).print(cells)
        return
    for line in (header, *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def time_left(left: timedelta) -> str:
    """How much of a window is left, in hours and minutes."""
    minutes = int(left.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min left" if minutes >= 0 else "it is over"


class Page:
    """Lines for people on standard output."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, markup=False, emoji=False)

    @property
    def width(self) -> int:
        """How many characters a line should have at most."""
        return self.console.width if self.console.is_terminal else PIPE_WIDTH

    @property
    def plain_plots(self) -> bool:
        """Whether plots must do without block characters."""
        return not draws_blocks(self.console.file)

    def line(self, *parts: str | Text, indent: int = 0, label: str = "", label_width: int = 0) -> None:
        """One paragraph: ``label`` stands before its first line, and the others begin below the first word."""
        start = plain(label).ljust(label_width) + " " * (label_width > 0)
        words = Text(" ").join(part if isinstance(part, Text) else styled(part) for part in parts if part)
        lead, room = indent + len(start), self.width - indent - len(start)
        wraps = self.console.is_terminal and len(words) > room
        for number, wrapped in enumerate(words.wrap(self.console, max(room, 20)) if wraps else [words]):
            wrapped.rstrip()
            before = (
                Text(" " * indent).append(start, style=styled(label).style or "bold")
                if number == 0
                else Text(" " * lead)
            )
            self._print(before.append_text(wrapped))

    def heading(self, words: str) -> None:
        """A line that begins a part, after an empty one."""
        self._print(Text(""))
        self._print(Text(plain(words), style="bold"))

    def drawn(self, *parts: Text) -> None:
        """A line that was laid out to the width already."""
        self._print(Text.assemble(*parts))

    def command(self, command: str, *, indent: int = 0) -> None:
        """A shell command, never broken, so that it can be copied."""
        self._print(Text(" " * indent).append(plain(command), style="cyan"))

    def step(self, step: Step, *, indent: int = 0, label: str = "", label_width: int = 0) -> None:
        """What to do, and below it the command."""
        self.line(step.words, indent=indent, label=label, label_width=label_width)
        if step.command:
            self.command(step.command, indent=indent + label_width + (label_width > 0) + 2)

    def _print(self, text: Text) -> None:
        text.rstrip()
        self.console.print(text, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)


@dataclass(frozen=True)
class _Grid:
    """A table on a terminal."""

    page: Page
    header: Sequence[str]
    widths: Sequence[int]

    def print(self, rows: Sequence[Sequence[str]]) -> None:
        room = self.page.width
        widest = max(range(len(self.widths)), key=lambda i: self.widths[i])
        left = room - self._together(self.widths) + self.widths[widest]
        if self._together(self.widths) <= room or left >= MIN_WRAPPED:
            self._columns(rows, widest, min(self.widths[widest], left))
            return
        first = next(n for n in range(len(self.widths), 0, -1) if n == 1 or self._together(self.widths[:n]) <= room)
        self._stacked(rows, first)

    def _together(self, widths: Sequence[int]) -> int:
        return sum(widths) + 2 * (len(widths) - 1)

    def _columns(self, rows: Sequence[Sequence[str]], widest: int, width: int) -> None:
        widths = [*self.widths[:widest], width, *self.widths[widest + 1 :]]
        self.page.drawn(Text("  ".join(map(str.ljust, self.header, widths)), style="bold"))
        for row in rows:
            folded = [cell.wrap(self.page.console, width) for cell, width in zip(map(styled, row), widths, strict=True)]
            for part in zip_longest(*folded, fillvalue=Text("")):
                self.page.drawn(*_padded(part, widths))

    def _stacked(self, rows: Sequence[Sequence[str]], first: int) -> None:
        self.page.drawn(Text("  ".join(map(str.ljust, self.header[:first], self.widths)), style="bold"))
        for row in rows:
            self.page.drawn(*_padded([styled(cell) for cell in row[:first]], self.widths))
            below = [
                f"{name} {cell}" for name, cell in zip(self.header[first:], row[first:], strict=True) if cell != "-"
            ]
            self.page.line("; ".join(below), indent=4)


def _padded(cells: Sequence[Text], widths: Sequence[int]) -> Iterator[Text]:
    for cell, width in zip(cells, widths, strict=False):
        yield Text.assemble(cell, " " * (width - len(cell) + 2))


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else plain(value)


def _safe_json(value: object, *, indent: int | None) -> str:
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return "".join(c if c == "\n" or _harmless(c) else json.dumps(c)[1:-1] for c in text)


def _harmless(character: str) -> bool:
    """Neither a control or format character nor a separator that some readers take for the end of a line."""
    category = unicodedata.category(character)
    return not category.startswith("C") and category not in ("Zl", "Zp")
