"""Which release served when, as a small SVG."""

from collections.abc import Sequence
from datetime import datetime

from gatewright.core.channels import Served
from gatewright.services.reports.svg import BAD, CANDIDATE, GRID, MUTED, Drawing, Scale
from gatewright.services.reports.whiskers import LEFT, WIDTH, clip
from gatewright.services.reports.wording import lasting, when

__all__ = ["serving_chart"]

MAX_PERIODS = 6
ROW, TOP = 22, 34
START, END = 190, 480


def serving_chart(periods: Sequence[Served], until: datetime) -> str | None:
    """The last releases, the latest first; None for fewer than two. ``until``: what serves is drawn up to there."""
    shown = list(reversed(periods))[:MAX_PERIODS]
    if len(shown) < 2:
        return None
    told = "; ".join(f"{period.release_id}: {_words(period)}" for period in shown)
    draw = Drawing(WIDTH, TOP + ROW * len(shown) + 26, "What served when", told)
    draw.text(LEFT, 22, "What served when", size=13, bold=True)
    first = min(period.since for period in shown)
    across = Scale(0, (until - first).total_seconds() or 1.0, START, END)
    for i, period in enumerate(shown):
        _row(draw, period, _places(across, period, first, until), TOP + ROW * i)
    foot = draw.height - 10
    draw.text(START, foot, when(first), size=11, color=MUTED)
    draw.text(END, foot, when(until), size=11, anchor="end", color=MUTED)
    return draw.render()


def _places(across: Scale, period: Served, first: datetime, until: datetime) -> tuple[float, float]:
    ends = (period.since, period.until or until)
    start, end = (across((end - first).total_seconds()) for end in ends)
    return start, end


def _row(draw: Drawing, period: Served, places: tuple[float, float], top: float) -> None:
    color = CANDIDATE if period.until is None else BAD if period.ended == "rollback" else MUTED
    start, end = places
    draw.line((START, top + ROW / 2), (END, top + ROW / 2), color=GRID)
    # What has served for a moment only must be seen too.
    draw.bar(min(start, END - 3), top + 5, max(end - start, 3), ROW - 10, color=color)
    draw.text(LEFT, top + ROW / 2 + 4, clip(period.release_id, 26))
    draw.text(END + 14, top + ROW / 2 + 4, _words(period), color=color)


def _words(period: Served) -> str:
    if period.until is None:
        return f"serves since {period.since:%Y-%m-%d %H:%M}"
    return f"{lasting(period.until - period.since)}{', taken back' if period.ended == 'rollback' else ''}"
