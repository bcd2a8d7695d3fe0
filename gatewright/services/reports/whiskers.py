"""Values with their intervals, one a line, as a small SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatewright.services.reports.svg import BAD, INK, MUTED, Drawing, Scale

__all__ = ["ROW", "WIDTH", "Whisker", "clip", "whisker_chart"]

WIDTH = 720
ROW = 28
LONGEST_NAME = 30


@dataclass(frozen=True)
class Whisker:
    """One line: a name, a value within its interval, what is written beside it, and a rule's limit."""

    name: str
    low: float
    value: float
    high: float
    words: str
    color: str
    limit: float | None = None


def whisker_chart(title: str, rows: Sequence[Whisker], scale: Scale, *, zero: bool = False) -> str:
    """All ``rows`` on one scale; ``zero`` marks 0 and writes signs."""
    draw = Drawing(WIDTH, 78 + ROW * len(rows), title)
    bottom = draw.height - 30
    draw.text(16, 24, title, size=14, bold=True)
    for tick in scale.ticks():
        draw.line((scale(tick), 36), (scale(tick), bottom))
        words = f"{tick:+g}" if zero and tick else f"{tick:g}"
        draw.text(scale(tick), bottom + 16, words, size=11, anchor="middle", color=MUTED)
    if zero:
        draw.line((scale(0), 36), (scale(0), bottom), color=INK, width=1.5)
    for i, row in enumerate(rows):
        y = 54 + ROW * i
        draw.text(16, y + 4, clip(row.name))
        if row.limit is not None:
            draw.line((scale(row.limit), y - 11), (scale(row.limit), y + 11), color=BAD, width=2, dash="4 3")
        draw.whisker(scale, row.low, row.value, row.high, y, color=row.color)
        draw.text(496, y + 4, row.words, color=MUTED)
    if any(row.limit is not None for row in rows):
        draw.text(16, bottom + 16, "dashed: the policy's limit", size=11, color=MUTED)
    return draw.render()


def clip(text: str) -> str:
    """At most ``LONGEST_NAME`` characters."""
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
