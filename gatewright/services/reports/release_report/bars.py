"""Counts as bars of equal width, whatever the distances of their edges."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gatewright.services.reports.curve_charts import dashed
from gatewright.services.reports.svg import CANDIDATE, INK, MUTED, Drawing, Scale

__all__ = ["Bars", "Mark", "bar_chart", "shares"]

WIDTH, HEIGHT = 440, 270
LEFT, RIGHT, TOP, BOTTOM = 56.0, 424.0, 64.0, 220.0


@dataclass(frozen=True)
class Bars:
    """``values`` between ``edges``, of which there is one more; ``solid`` bars, or an outline."""

    name: str
    values: Sequence[float]
    solid: bool = True


@dataclass(frozen=True)
class Mark:
    """A place among the edges, and what it is."""

    at: float
    words: str


def shares(counts: Sequence[float]) -> list[float]:
    """Of all counts, in percent; zeros for none."""
    total = sum(counts)
    return [100 * count / total if total else 0.0 for count in counts]


def bar_chart(
    title: str,
    edges: Sequence[float],
    drawn: Sequence[Bars],
    axes: tuple[str, str],
    *,
    marks: Sequence[Mark] = (),
    top: float | None = None,
) -> str:
    """Solid bars of the first, an outline of the second; ``top`` fixes the scale."""
    draw = Drawing(WIDTH, HEIGHT, title, f"{axes[1]} up, {axes[0]} across.")
    up = Scale(0, top or max([1e-9, *(v for bars in drawn for v in bars.values)]) * 1.05, BOTTOM, TOP)
    draw.text(16, 22, title, size=13, bold=True)
    for tick in up.ticks():
        draw.line((LEFT, up(tick)), (RIGHT, up(tick)))
        draw.text(LEFT - 6, up(tick) + 4, f"{tick:g}", size=11, anchor="end", color=MUTED)
    for k, bars in enumerate(drawn):
        _key(draw, bars, LEFT + 150 * k)
        _bars(draw, bars, up)
    _edges(draw, edges)
    for k, mark in enumerate(marks):
        _mark(draw, edges, mark, TOP + 12 + 15 * k)
    draw.text((LEFT + RIGHT) / 2, HEIGHT - 12, f"{axes[0]} (across), {axes[1]} (up)", anchor="middle", color=MUTED)
    return draw.render()


def _bars(draw: Drawing, bars: Bars, up: Scale) -> None:
    step = (RIGHT - LEFT) / max(len(bars.values), 1)
    places = [LEFT + k * step for k in range(len(bars.values))]
    if bars.solid:
        for x, value in zip(places, bars.values, strict=True):
            draw.bar(x + step * 0.08, up(value), step * 0.84, BOTTOM - up(value), color=CANDIDATE)
        return
    corners = [(x + shift, up(v)) for x, v in zip(places, bars.values, strict=True) for shift in (0, step)]
    dashed(draw, [(LEFT, BOTTOM), *corners, (RIGHT, BOTTOM)])


def _key(draw: Drawing, bars: Bars, x: float) -> None:
    if bars.solid:
        draw.bar(x, 36, 20, 10, color=CANDIDATE)
    else:
        dashed(draw, [(x, 41), (x + 20, 41)])
    draw.text(x + 26, 45, bars.name)


def _edges(draw: Drawing, edges: Sequence[float]) -> None:
    every = max(1, -(-len(edges) // 9))
    step = (RIGHT - LEFT) / max(len(edges) - 1, 1)
    for k in range(0, len(edges), every):
        draw.text(LEFT + k * step, BOTTOM + 16, f"{edges[k]:.3g}", size=11, anchor="middle", color=MUTED)


def _mark(draw: Drawing, edges: Sequence[float], mark: Mark, y: float) -> None:
    x = _place(edges, mark.at)
    draw.line((x, TOP - 8), (x, BOTTOM), color=INK, width=1.5, dash="4 3")
    draw.text(x + 5 if x < 290 else x - 5, y, mark.words, size=11, anchor="start" if x < 290 else "end")


def _place(edges: Sequence[float], value: float) -> float:
    """Where a value lies among bars of equal width."""
    step = (RIGHT - LEFT) / (len(edges) - 1)
    for k, (low, high) in enumerate(pairwise(edges)):
        if value < high:
            return LEFT + step * (k + max(0.0, (value - low) / (high - low)))
    return RIGHT
