"""Small multiples: the same little chart again and again, on one scale, so that the odd one is seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatewright.services.reports.curve_charts import band
from gatewright.services.reports.svg import BAD, CANDIDATE, INK, MUTED, Drawing, Scale
from gatewright.services.reports.wording import number

__all__ = ["Panel", "Step", "panels"]

WIDTH, HEIGHT = 230, 150
LEFT, RIGHT, TOP, BOTTOM = 40, 216, 38, 122
LONGEST_TITLE = 27
LONGEST_LABEL = 12


@dataclass(frozen=True)
class Step:
    """One value; ``low`` and ``high`` are its interval where it has one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def ends(self) -> tuple[float, float]:
        return (self.value, self.value) if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True)
class Panel:
    """The steps of one thing, from left to right, and the limit that holds for it."""

    title: str
    steps: Sequence[Step]
    limit: float | None = None


def panels(measure: str, drawn: Sequence[Panel]) -> list[str]:
    """One drawing each, all on the same scale; ``measure`` says what goes up."""
    reached = [end for panel in drawn for step in panel.steps for end in step.ends]
    limits = [panel.limit for panel in drawn if panel.limit is not None]
    low, high = min([0.0, *reached, *limits]), max([0.0, *reached, *limits])
    up = Scale(low, low + ((high - low) * 1.1 or 1.0), BOTTOM, TOP)
    return [_panel(measure, panel, up) for panel in drawn]


def _panel(measure: str, panel: Panel, up: Scale) -> str:
    draw = Drawing(WIDTH, HEIGHT, f"{measure}: {panel.title}", _told(panel))
    draw.text(12, 22, _clip(panel.title, LONGEST_TITLE), bold=True)
    for tick in up.ticks()[:: 1 + len(up.ticks()) // 6]:
        draw.line((LEFT, up(tick)), (RIGHT, up(tick)))
        draw.text(LEFT - 4, up(tick) + 4, f"{tick:g}", size=10, anchor="end", color=MUTED)
    if panel.limit is not None:
        draw.line((LEFT, up(panel.limit)), (RIGHT, up(panel.limit)), color=BAD, width=1.5, dash="5 3")
    _steps(draw, panel.steps, up)
    return draw.render()


def _steps(draw: Drawing, steps: Sequence[Step], up: Scale) -> None:
    across = Scale(0, max(len(steps) - 1, 1), LEFT + 12, RIGHT - 18)
    places = [(across(k), up(step.value)) for k, step in enumerate(steps)]
    if any(step.low is not None for step in steps):
        lower, upper = ([(across(k), up(step.ends[end])) for k, step in enumerate(steps)] for end in (0, 1))
        band(draw, lower, upper)
    draw.path(places, color=CANDIDATE)
    for x, y in places[:-1]:
        draw.dot(x, y, color=CANDIDATE, radius=2.5)
    draw.dot(*places[-1], color=INK, radius=4)
    draw.text(RIGHT, places[-1][1] - 8, number(steps[-1].value), size=11, anchor="end")
    ends = ((0, "start"), (len(steps) - 1, "end")) if len(steps) > 1 else ((0, "start"),)
    for k, anchor in ends:
        draw.text(
            LEFT if k == 0 else RIGHT,
            BOTTOM + 18,
            _clip(steps[k].label, LONGEST_LABEL),
            size=10,
            anchor=anchor,
            color=MUTED,
        )


def _told(panel: Panel) -> str:
    first, last = panel.steps[0], panel.steps[-1]
    limit = "" if panel.limit is None else f"; the limit is {number(panel.limit)}"
    words = f"{number(last.value)} at {last.label}"
    return f"{words}{limit}." if first is last else f"From {number(first.value)} at {first.label} to {words}{limit}."


def _clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
