"""Predicted numbers against the numbers that came true, as a small SVG."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from gatewright.services.reports.curve_charts import axis_words, band, dashed, legend
from gatewright.services.reports.release_report.measures import dicts, figure
from gatewright.services.reports.svg import CANDIDATE, MUTED, Drawing, Scale

__all__ = ["prediction_drawing"]

LEFT, RIGHT, TOP, BOTTOM = 70.0, 400.0, 50.0, 280.0


def prediction_drawing(curves: Mapping[str, Any]) -> str | None:
    """Mean target by mean prediction; None without points of the candidate (see `number_curves`)."""
    ours, theirs = (dicts((curves.get(model) or {}).get("by_prediction")) for model in ("candidate", "champion"))
    if not ours:
        return None
    reached = [v for p in [*ours, *theirs] for key in _KEYS if (v := figure(p, key)) is not None]
    low, high = min(reached), max(reached)
    across, up = Scale(low, high, LEFT, RIGHT), Scale(low, high, BOTTOM, TOP)
    draw = Drawing(420, 332, "Mean target by mean prediction", "Mean target up, mean prediction across.")
    _grid(draw, across, up)
    band(draw, *([(across(_at(p, "mean_prediction")), up(_at(p, key))) for p in ours] for key in ("low", "high")))
    path, other = (
        [(across(_at(p, "mean_prediction")), up(_at(p, "mean_target"))) for p in of] for of in (ours, theirs)
    )
    draw.path(path, color=CANDIDATE)
    for place in path:
        draw.dot(*place, color=CANDIDATE, radius=3.5)
    dashed(draw, other)
    legend(draw, champion=bool(theirs))
    axis_words(draw, "mean prediction", "mean target")
    return draw.render()


_KEYS = ("mean_prediction", "mean_target", "low", "high")


def _at(point: Mapping[str, JsonValue], key: str) -> float:
    """The number under ``key``; a bin of one row has no bounds but its mean target."""
    value = figure(point, key)
    return float(str(point["mean_target"])) if value is None else value


def _grid(draw: Drawing, across: Scale, up: Scale) -> None:
    draw.text(16, 24, "Predictions", size=14, bold=True)
    draw.line((across(across.low), up(up.low)), (across(across.high), up(up.high)), color=MUTED, width=1.5, dash="2 4")
    for tick in across.ticks():
        draw.line((across(tick), BOTTOM), (across(tick), TOP))
        draw.line((LEFT, up(tick)), (RIGHT, up(tick)))
        draw.text(across(tick), BOTTOM + 16, f"{tick:g}", size=11, anchor="middle", color=MUTED)
        draw.text(LEFT - 6, up(tick) + 4, f"{tick:g}", size=11, anchor="end", color=MUTED)
