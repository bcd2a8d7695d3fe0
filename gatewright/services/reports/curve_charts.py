"""Curves as small SVGs: calibration, and the receiver operating characteristic."""

from collections.abc import Mapping, Sequence
from typing import Any

from gatewright.services.reports.details import CalibrationBin, calibration_bins
from gatewright.services.reports.svg import CANDIDATE, MUTED, Drawing, Scale

__all__ = ["calibration_drawing", "draw_calibration", "roc_drawing"]

SIDE = (60, 400)
HEIGHT = (280, 44)


def calibration_drawing(curves: Mapping[str, Any]) -> str | None:
    """Calibration of the candidate in ``curves`` (see `evaluation_curves`); None without bins."""
    return draw_calibration(calibration_bins(curves))


def draw_calibration(bins: Sequence[CalibrationBin]) -> str | None:
    """Observed share of positives against the mean score; on the dashed line the scores tell the truth."""
    if not bins:
        return None
    top = min(1.0, max(max(b.mean_score, b.observed.high) for b in bins) * 1.05) or 1.0
    draw = Drawing(420, 330, "Calibration: observed share of positives by score")
    across, up = _axes(draw, top, "Calibration")
    draw.line((across(0), up(0)), (across(top), up(top)), color=MUTED, width=1.5, dash="5 4")
    for b in bins:
        x = across(b.mean_score)
        draw.line((x, up(b.observed.low)), (x, up(b.observed.high)), color=CANDIDATE, width=2)
        draw.dot(x, up(b.observed.value), color=CANDIDATE, radius=4)
    draw.path([(across(b.mean_score), up(b.observed.value)) for b in bins], color=CANDIDATE)
    draw.text(230, 318, "mean score (across), observed share of positives (up)", anchor="middle", color=MUTED)
    return draw.render()


def roc_drawing(curves: Mapping[str, Any]) -> str | None:
    """True positive rate against false positive rate, the champion dashed; None with a single class."""
    models = [(name, curves.get(name) or {}) for name in ("champion", "candidate")]
    drawn = [(name, model["roc"]) for name, model in models if model.get("roc")]
    if not drawn:
        return None
    draw = Drawing(420, 330, "ROC: true positive rate by false positive rate")
    across, up = _axes(draw, 1.0, "ROC: candidate solid, champion dotted" if len(drawn) > 1 else "ROC")
    draw.line((across(0), up(0)), (across(1), up(1)), color=MUTED, width=1.5, dash="5 4")
    for name, points in drawn:
        path = [(across(point[0]), up(point[1])) for point in points]
        if name == "candidate":
            draw.path(path, color=CANDIDATE)
        else:
            for x, y in path:
                draw.dot(x, y, color=MUTED, radius=1.5)
    draw.text(230, 318, "false positive rate (across), true positive rate (up)", anchor="middle", color=MUTED)
    return draw.render()


def _axes(draw: Drawing, top: float, title: str) -> tuple[Scale, Scale]:
    """A square from 0 to ``top`` with its grid."""
    across, up = Scale(0, top, *SIDE), Scale(0, top, *HEIGHT)
    draw.text(16, 24, title, size=14, bold=True)
    for tick in across.ticks():
        draw.line((across(tick), HEIGHT[0]), (across(tick), HEIGHT[1]))
        draw.line((SIDE[0], up(tick)), (SIDE[1], up(tick)))
        draw.text(across(tick), HEIGHT[0] + 16, f"{tick:g}", size=11, anchor="middle", color=MUTED)
        draw.text(SIDE[0] - 6, up(tick) + 4, f"{tick:g}", size=11, anchor="end", color=MUTED)
    return across, up
