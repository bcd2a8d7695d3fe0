"""A few shapes of SVG 1.1, by hand: smaller than a plotting library's, and the same bytes for the same input.

Every drawing has its own panel, so that it reads alike on a light and on a dark page, and brings a second set of
colours for people whose system is dark. Text has a contrast of at least 4.5:1 on both (WCAG 2.1, 1.4.3).
"""

import base64
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gatewright.services.reports.escape import xml

__all__ = ["BAD", "CANDIDATE", "DARK", "GOOD", "GRID", "INK", "MUTED", "PANEL", "Drawing", "Scale", "alt", "data_uri"]

INK = "#1f2933"
MUTED = "#52606d"
GRID = "#cbd2d9"
PANEL = "#f8fafc"
CANDIDATE = "#1d5fa8"
# Blue and orange stay apart for colour-blind readers; no chart tells anything by colour alone.
GOOD = "#0f766e"
BAD = "#b4340a"
DARK = {
    PANEL: "#1b2430",
    INK: "#e5eaf0",
    MUTED: "#aab7c4",
    GRID: "#3b4a5a",
    CANDIDATE: "#7db8f0",
    GOOD: "#4fd1bd",
    BAD: "#ff9c70",
}
_DARK_RULES = "".join(
    f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}' for light, dark in DARK.items()
)
# On paper a dark panel wastes ink.
_STYLE = f"<style>@media screen and (prefers-color-scheme:dark){{{_DARK_RULES}}}</style>"
FONTS = "system-ui,Segoe UI,Helvetica,Arial,sans-serif"
_TOLD = re.compile(r"<(?:title|desc)>(.*?)</(?:title|desc)>")


@dataclass(frozen=True)
class Scale:
    """A linear map from [low, high] in data to [start, end] in pixels; values outside are put on the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Three to nine round values (1, 2 or 5 times a power of ten apart) between low and high."""
        rough = (self.high - self.low) / 5 or 1.0
        power = 10.0 ** math.floor(math.log10(rough))
        step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough * 0.7)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 10) for i in range(first, last + 1)]


@dataclass
class Drawing:
    """Shapes collected in order; ``width`` and ``height`` in pixels. ``told``: what it shows, for who cannot see it."""

    width: int
    height: int
    title: str
    told: str = ""
    parts: list[str] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        words: object,
        *,
        size: int = 12,
        anchor: str = "start",
        color: str = INK,
        bold: bool = False,
    ) -> None:
        weight = ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{color}"{weight}>'
            f"{xml(words)}</text>"
        )

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        color: str = GRID,
        width: float = 1,
        dash: str = "",
    ) -> None:
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
            f'stroke="{color}" stroke-width="{width:g}"{dashes}/>'
        )

    def path(self, points: Sequence[tuple[float, float]], *, color: str) -> None:
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="2"/>')

    def bar(self, x: float, y: float, width: float, height: float, *, color: str) -> None:
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>')

    def dot(self, x: float, y: float, *, color: str, radius: float = 4.5) -> None:
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{color}"/>')

    def whisker(self, scale: Scale, low: float, value: float, high: float, y: float, *, color: str) -> None:
        """A value with its interval, lying."""
        self.line((scale(low), y), (scale(high), y), color=color, width=2)
        for end in (low, high):
            self.line((scale(end), y - 4), (scale(end), y + 4), color=color, width=2)
        self.dot(scale(value), y, color=color)

    def render(self) -> str:
        """The SVG document."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" role="img" font-family="{FONTS}">'
        )
        panel = f'<rect width="{self.width}" height="{self.height}" rx="6" fill="{PANEL}" stroke="{GRID}"/>'
        told = f"<desc>{xml(self.told)}</desc>" if self.told else ""
        return f"{head}<title>{xml(self.title)}</title>{told}{_STYLE}{panel}{''.join(self.parts)}</svg>"


def alt(svg: str) -> str:
    """Title and description of a drawing in one line, escaped for an attribute."""
    return ". ".join(found[1] for found in _TOLD.finditer(svg))


def data_uri(svg: str) -> str:
    """The drawing as an address for ``<img src>``."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
