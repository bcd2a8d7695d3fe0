"""How commands print: aligned columns for people, JSON for machines."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from gatewright.services.reports.escape import plain

__all__ = ["Json", "print_json", "print_table"]

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON instead of text.")]


def print_json(value: object) -> None:
    """Indented JSON on standard output, every character that a terminal could obey as an escape.

    Raises ValueError for NaN and infinity, which are no JSON.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    print("".join(c if c == "\n" or not unicodedata.category(c).startswith("C") else json.dumps(c)[1:-1] for c in text))


def print_table(rows: Sequence[Mapping[str, Any]], *, empty: str) -> None:
    """One line a row under the keys of the first; control characters, which could move the cursor, are left out."""
    if not rows:
        print(empty)
        return
    lines = [[key.replace("_", " ") for key in rows[0]], *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else plain(value)
