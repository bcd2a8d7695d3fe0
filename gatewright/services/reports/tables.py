"""Markdown's building blocks: tables, images, lists of links. Cells come in escaped."""

import re
from collections.abc import Iterable, Mapping, Sequence

from gatewright.services.reports.escape import link
from gatewright.services.reports.svg import alt, data_uri

__all__ = ["bullets", "demoted", "folded", "image", "page", "table", "web_links"]


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> str:
    """A Markdown table; columns in ``numbers`` are set to the right."""
    right = set(numbers)
    rule = ["---:" if i in right else "---" for i in range(len(header))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *rows))


def bullets(items: Iterable[str]) -> str:
    """A list; the items come in escaped."""
    return "\n".join(f"- {item}" for item in items)


def image(svg: str | None, *, missing: str) -> str:
    """A chart inside the page with what it shows in words, or the sentence that it was not measured."""
    if svg is None:
        return f"*{missing}*"
    return f'<img alt="{alt(svg)}" src="{data_uri(svg)}" style="margin:0">'


def demoted(markdown: str, levels: int) -> str:
    """All headings so many levels deeper: where the page is shown there are headings above it."""
    return re.sub(r"^(?=#{1,6} )", "#" * levels, markdown, flags=re.MULTILINE)


def folded(summary: str, body: str) -> str:
    """``body`` behind a line that opens it."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def web_links(links: Mapping[str, str]) -> str:
    """All links, named by their keys."""
    return " · ".join(link(name.replace("_", " "), links, name) for name in links)


def page(*blocks: str) -> str:
    """Blocks with an empty line between them; empty blocks are left out."""
    return "\n\n".join(block for block in blocks if block) + "\n"
