"""Pages as a reader's renderer sees them."""

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt

RENDER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class Page(HTMLParser):
    """Collects the elements, attributes, table cells and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(markdown: str) -> Page:
    return Page(RENDER.render(markdown))


def without_charts(markdown: str) -> str:
    """The page with each drawing replaced by a word, for comparing structure."""
    return re.sub(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]+", "CHART", markdown)
