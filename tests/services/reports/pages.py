"""What holds of every Markdown page: its elements, its tables, its first screen."""

import re
from pathlib import Path

from tests.services.reports.rendering import rendered

GOLDEN = Path(__file__).parent / "golden"
LINKS = {"This run": "http://127.0.0.1:4200/v2/runs/flow-run/1", "bad": "javascript:alert(1)"}
HOSTILE = "</td></table><script>alert(1)</script>|`[x](javascript:alert(1))\n# h \u202e"
# What the pages themselves are made of; anything else came out of somebody's text.
ELEMENTS = {
    "h1", "h2", "h3", "h4", "p", "strong", "em", "code", "pre", "ul", "ol", "li", "a", "img", "details", "summary",
    "wbr", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def before_the_fold(markdown: str) -> str:
    """What comes before the first block that has to be opened, or the first heading after the verdict."""
    return re.split(r"<details>|\n#", markdown, maxsplit=1)[0]


def foreign_parts(markdown: str) -> list[str]:
    """Elements and addresses that somebody's text added; none on a safe page."""
    shown = rendered(markdown)
    strange = [tag for tag in shown.tags if tag not in ELEMENTS]
    for tag, name, value in shown.attributes:
        ours = value.startswith(("data:image/svg+xml;base64,", "http://127.0.0.1")) or name in {"alt", "style"}
        strange += [] if ours and name in {"src", "alt", "href", "style"} else [f"{tag} {name}={value}"]
    return strange


def broken_tables(markdown: str) -> list[str]:
    """Tables with a row that has not as many cells as the header."""
    tables = re.findall(r"(?:^\|.*\|\n)+", markdown, re.MULTILINE)
    return [t for t in tables if len({len(re.findall(r"(?<!\\)\|", line)) for line in t.strip().splitlines()}) > 1]
