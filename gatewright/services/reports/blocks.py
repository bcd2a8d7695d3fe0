"""What a report is made of. Text goes in as it is: the template escapes all that is not ``Markup``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import NOTHING

__all__ = [
    "Block",
    "Cell",
    "Commands",
    "Figure",
    "Folded",
    "Heading",
    "Listing",
    "Missing",
    "Objection",
    "Section",
    "Table",
    "Text",
    "capitalized",
    "charts",
    "digest",
    "mono",
    "pair",
    "strong",
    "ticked",
]

Cell = str | Markup
# More are in the store; a report stays below 2 MB.
MAXIMUM_ROWS = 500


@dataclass(frozen=True)
class Table:
    """The first cell of each row names it; columns in ``numbers`` are set to the right."""

    kind: ClassVar = "table"
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int] = frozenset()

    @property
    def shown(self) -> Sequence[Sequence[Cell]]:
        return self.rows[:MAXIMUM_ROWS]

    @property
    def left_out(self) -> int:
        return len(self.rows) - len(self.shown)


@dataclass(frozen=True)
class Folded:
    """A table behind a line that opens it."""

    kind: ClassVar = "folded"
    table: Table


@dataclass(frozen=True)
class Figure:
    """Drawings that tell one thing, what they tell in a sentence, and the numbers they are drawn from.

    ``small``: narrow enough to stand beside another.
    """

    kind: ClassVar = "figure"
    title: str
    says: str
    drawings: Sequence[Markup]
    table: Table
    small: bool = False


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar = "text"
    words: Cell


@dataclass(frozen=True)
class Heading:
    """Begins a part of a section."""

    kind: ClassVar = "heading"
    words: str


@dataclass(frozen=True)
class Listing:
    """Sentences, one below the other."""

    kind: ClassVar = "listing"
    items: Sequence[Cell]


@dataclass(frozen=True)
class Commands:
    """Lines for a shell, and what they do."""

    kind: ClassVar = "commands"
    does: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Missing:
    """What was not measured, and why."""

    kind: ClassVar = "missing"
    words: Cell


@dataclass(frozen=True)
class Objection:
    """A rule that did not pass: of what ``weight``, the numbers in ``words``, ``why`` it is asked, what to do."""

    kind: ClassVar = "objection"
    status: str
    weight: str
    rule: str
    words: str
    why: str
    steps: Sequence[tuple[Cell, str]] = ()


Block = Objection | Table | Folded | Figure | Text | Heading | Listing | Commands | Missing


@dataclass(frozen=True)
class Section:
    """A chapter; ``name`` is its address within the page."""

    name: str
    title: str
    blocks: Sequence[Block]


def mono(text: object) -> Markup:
    """``text`` in a fixed-width face, escaped."""
    return Markup("<code>{}</code>").format(plain(text))


def strong(text: object) -> Markup:
    """``text`` in bold, escaped."""
    return Markup("<strong>{}</strong>").format(plain(text))


def ticked(text: str) -> Markup:
    """``text`` whose parts between backticks are code, escaped."""
    parts = plain(text).split("`")
    if len(parts) % 2 == 0:
        return Markup("{}").format(plain(text))
    return Markup("").join(mono(part) if k % 2 else Markup("{}").format(part) for k, part in enumerate(parts))


def capitalized(text: str) -> str:
    """The first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]


def pair(first: Cell, second: object) -> Markup:
    """``first``, and ``second`` in small letters below it."""
    above, below = first if isinstance(first, Markup) else plain(first), plain(second)
    return Markup("{}<small>{}</small>").format(above, below) if below else Markup("{}").format(above)


def charts(drawings: Iterable[str | None]) -> list[Markup]:
    """Those that were drawn. An SVG made by ``Drawing`` is escaped already."""
    return [Markup(svg) for svg in drawings if svg is not None]


def digest(sha256: str | None) -> Cell:
    """All digits, which may be broken at the end of a line; a dash for none."""
    return NOTHING if sha256 is None else Markup('<code class="digest">{}</code>').format(plain(sha256))
