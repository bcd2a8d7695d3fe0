"""Values with their intervals, one a line, as a small SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatewright.services.reports.svg import BAD, INK, MUTED, Drawing, Scale

__all__ = ["NARROW", "WIDE", "WIDTH", "Layout", "Whisker", "clip", "whisker_chart"]

WIDTH = 720
LEFT = 12
LONGEST_NAME = 30
# Of the drawing's letters, on average.
LETTER = 6.4


@dataclass(frozen=True)
class Layout:
    """Width of a chart, where its scale starts and ends, and the height of a row, in pixels.

    Names stand before the scale, words behind it.
    """

    width: int
    start: int
    end: int
    row: int

    def scale(self, low: float, high: float) -> Scale:
        return Scale(low, high, self.start, self.end)


# For a page, and for the form in the Prefect UI, where a wide one would be shrunk until nobody can read it.
WIDE = Layout(WIDTH, 290, 490, 22)
NARROW = Layout(440, 150, 236, 17)


@dataclass(frozen=True)
class Whisker:
    """One line: a name, a value within its interval, what is written behind it, a rule's limit, and ``levels`` before
    the scale."""

    name: str
    low: float
    value: float
    high: float
    words: str
    color: str
    limit: float | None = None
    levels: str = ""


def whisker_chart(
    title: str,
    rows: Sequence[Whisker],
    scale: Scale,
    *,
    zero: bool = False,
    ends: tuple[str, str] | None = None,
    layout: Layout = WIDE,
    heading: str | None = None,
) -> str:
    """All ``rows`` on one scale; ``zero`` marks 0 and writes signs; ``ends`` are written instead of numbers."""
    limited = any(row.limit is not None for row in rows)
    foot = 0 if ends else 16
    draw = Drawing(layout.width, 40 + layout.row * len(rows) + foot, title, _told(rows))
    bottom = draw.height - foot - 6
    draw.text(LEFT, 22, heading or title, size=13, bold=True)
    if ends:
        _ends(draw, scale, ends)
    else:
        _ticks(draw, scale, bottom, zero=zero)
    if zero:
        draw.line((scale(0), 30), (scale(0), bottom), color=INK, width=1.5)
    for i, row in enumerate(rows):
        _row(draw, scale, row, 34 + layout.row * (i + 0.5))
    if limited:
        draw.text(layout.width - LEFT, 22, "dashed: limit", size=11, anchor="end", color=MUTED)
    return draw.render()


def clip(text: str, longest: int = LONGEST_NAME) -> str:
    """At most ``longest`` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _row(draw: Drawing, scale: Scale, row: Whisker, y: float) -> None:
    room = int((scale.start - LEFT) / LETTER) - len(row.levels)
    draw.text(LEFT, y + 4, clip(row.name, min(room, LONGEST_NAME)))
    if row.levels:
        draw.text(scale.start - 10, y + 4, row.levels, anchor="end", color=MUTED)
    if row.limit is not None:
        draw.line((scale(row.limit), y - 9), (scale(row.limit), y + 9), color=BAD, width=2, dash="4 3")
    draw.whisker(scale, row.low, row.value, row.high, y, color=row.color)
    draw.text(scale.end + 14, y + 4, row.words, color=row.color if row.color == BAD else MUTED)


def _ticks(draw: Drawing, scale: Scale, bottom: float, *, zero: bool) -> None:
    for tick in scale.ticks():
        draw.line((scale(tick), 32), (scale(tick), bottom))
        words = f"{tick:+g}" if zero and tick else f"{tick:g}"
        draw.text(scale(tick), bottom + 15, words, size=11, anchor="middle", color=MUTED)


def _ends(draw: Drawing, scale: Scale, ends: tuple[str, str]) -> None:
    middle = (scale.start + scale.end) / 2
    draw.text(middle - 6, 22, f"← {ends[0]}", size=11, anchor="end", color=MUTED)
    draw.text(middle + 6, 22, f"{ends[1]} →", size=11, color=MUTED)


def _told(rows: Sequence[Whisker]) -> str:
    return "; ".join(" ".join(part for part in (f"{row.name}:", row.levels, row.words) if part) for row in rows)
