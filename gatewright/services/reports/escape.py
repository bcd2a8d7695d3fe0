"""Text from data or from people, made safe to show in Markdown, in HTML and in SVG alike.

One output serves all readers: ``<``, ``>``, ``&`` and quotes become entities, Markdown's own signs get a
backslash, and addresses are broken by ``<wbr>`` so that no renderer turns them into links by itself.
"""

import re
import unicodedata
from collections.abc import Mapping
from html import escape

__all__ = ["code", "link", "md", "plain", "spoken", "words", "xml"]

MAX_CHARACTERS = 2000
_SIGNS = re.compile(r"([\\`*_\[\]()#|~!{}$^])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
# Renderers link bare addresses even inside escaped text.
_ADDRESS = re.compile(r"(://|www\.|@|(?:javascript|vbscript|data|mailto|xmpp):)", re.IGNORECASE)
_LINE_START = re.compile(r"^(?:([-+=])|(\d+)([.])(?= |$))")
_SAFE_LINK = re.compile(r"^https?://[A-Za-z0-9._~:/?#@!$&*+,=%-]+$")


def plain(text: object) -> str:
    """One line without control, format, bidirectional, surrogate or private characters, at most 2,000 long."""
    spaced = re.sub(r"\s", " ", str(text))
    kept = "".join(c for c in spaced if not unicodedata.category(c).startswith("C"))
    line = " ".join(kept.split())
    return line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - 1] + "…"


def md(text: object) -> str:
    """``text`` for a Markdown paragraph, list item, heading or table cell."""
    signs = _SIGNS.sub(r"\\\1", plain(text))
    entities = "".join(_ENTITIES.get(c, c) for c in signs)
    broken = _ADDRESS.sub(r"\1<wbr>", entities)
    return _LINE_START.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\{m[3]}", broken)


def code(text: object) -> str:
    """``text`` in a fixed-width face."""
    return f"<code>{md(text)}</code>"


def words(text: object) -> str:
    """Only letters, digits, spaces and ``,.-``: for places that are read both as YAML and as Markdown."""
    return re.sub(r"[^\w ,.-]|_", "", plain(text))


def spoken(text: object) -> str:
    """``text`` for a message in plain words: mail and chat programs make no link and no mention of what is in it."""
    return _ADDRESS.sub("\\1\u200b", plain(text))


def xml(text: object) -> str:
    """``text`` for an SVG text node or an HTML or SVG attribute."""
    return escape(plain(text), quote=True)


def link(label: object, links: Mapping[str, str], key: str) -> str:
    """``label`` linked to ``links[key]``; only text when there is none or it is not a plain web address."""
    address = links.get(key, "")
    if not _SAFE_LINK.match(address):
        return md(label)
    return f"[{md(label)}](<{address}>)"
