"""Curves of binary decisions as small SVGs: calibration, receiver operating characteristic, precision and recall.

The candidate is drawn solid, the champion dashed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gatewright.services.reports.details import CalibrationBin, calibration_bins
from gatewright.services.reports.svg import BAD, CANDIDATE, MUTED, Drawing, Scale

__all__ = [
    "CHAMPION",
    "CHAMPION_DASH",
    "Point",
    "axis_words",
    "band",
    "calibration_drawing",
    "dashed",
    "draw_calibration",
    "draw_models",
    "legend",
    "precision_recall",
    "precision_recall_drawing",
    "roc_drawing",
]

Point = tuple[float, float]
Place = Callable[[float], float]

MODELS = ("candidate", "champion")
CHAMPION = BAD
CHAMPION_DASH = "6 3"
SIDE = (60.0, 400.0)
HEIGHT = (280.0, 50.0)


def calibration_drawing(curves: Mapping[str, Any]) -> str | None:
    """Calibration of both models in ``curves`` (see `evaluation_curves`); None without bins of the candidate."""
    return draw_calibration(calibration_bins(curves), calibration_bins(curves, "champion"))


def draw_calibration(bins: Sequence[CalibrationBin], champion: Sequence[CalibrationBin] = ()) -> str | None:
    """Observed share of positives against the mean score, with the candidate's interval as a band.

    On the dotted line the scores tell the truth. Where most scores are small the axes are square roots.
    """
    if not bins:
        return None
    top = min(1.0, max(max(b.mean_score, b.observed.high) for b in [*bins, *champion]) * 1.05) or 1.0
    rooted = sorted(b.mean_score for b in bins)[len(bins) // 2] < top / 4
    draw = Drawing(420, 350 if rooted else 332, "Calibration: observed share of positives by score", _told(bins))
    across, up = _axes(draw, "Calibration", top, rooted=rooted)
    draw.line((across(0), up(0)), (across(top), up(top)), color=MUTED, width=1.5, dash="2 4")
    path = [(across(b.mean_score), up(b.observed.value)) for b in bins]
    lower, upper = (
        [(across(b.mean_score), up(end)) for b, end in zip(bins, ends, strict=True)] for ends in _ends(bins)
    )
    band(draw, lower, upper)
    draw.path(path, color=CANDIDATE)
    for place in path:
        draw.dot(*place, color=CANDIDATE, radius=3.5)
    dashed(draw, [(across(b.mean_score), up(b.observed.value)) for b in champion])
    legend(draw, champion=bool(champion))
    axis_words(draw, "mean score", "observed share of positives", rooted=rooted)
    return draw.render()


def roc_drawing(curves: Mapping[str, Any]) -> str | None:
    """True positive rate against false positive rate; None with a single class."""
    drawn = {model: [(x, y) for x, y, _ in points] for model, points in _roc(curves).items()}
    return draw_models(
        "ROC: true positive rate by false positive rate",
        "ROC",
        drawn,
        ("false positive rate", "true positive rate"),
        diagonal=True,
    )


def precision_recall_drawing(curves: Mapping[str, Any]) -> str | None:
    """Precision against recall at every threshold of the ROC; None with a single class."""
    drawn = {
        model: [(recall, precision) for recall, precision, _ in precision_recall(curves, model)] for model in MODELS
    }
    return draw_models("Precision by recall", "Precision and recall", drawn, ("recall", "precision"))


def precision_recall(curves: Mapping[str, Any], model: str) -> list[tuple[float, float, float]]:
    """(recall, precision, threshold) at the points of the ROC, from the counts of both classes; none without them.

    Davis and Goadrich (2006), ICML: every point of one curve is a point of the other.
    """
    points, counts = _roc(curves).get(model, []), (curves.get(model) or {}).get("confusion")
    if not isinstance(counts, dict):
        return []
    positives = counts.get("true_positives", 0) + counts.get("false_negatives", 0)
    negatives = counts.get("true_negatives", 0) + counts.get("false_positives", 0)
    found = [(tpr, tpr * positives, fpr * negatives, threshold) for fpr, tpr, threshold in points]
    return [(tpr, hit / (hit + false), at) for tpr, hit, false, at in found if hit + false > 0 and at is not None]


def draw_models(
    title: str, heading: str, drawn: Mapping[str, Sequence[Point]], axes: tuple[str, str], *, diagonal: bool = False
) -> str | None:
    """Paths of candidate and champion within the unit square; None without the candidate's."""
    ours, theirs = drawn.get("candidate") or [], drawn.get("champion") or []
    if not ours:
        return None
    draw = Drawing(420, 332, title, f"{axes[1].capitalize()} up, {axes[0]} across.")
    across, up = _axes(draw, heading, 1.0)
    if diagonal:
        draw.line((across(0), up(0)), (across(1), up(1)), color=MUTED, width=1.5, dash="2 4")
    draw.path([(across(x), up(y)) for x, y in ours], color=CANDIDATE)
    dashed(draw, [(across(x), up(y)) for x, y in theirs])
    legend(draw, champion=bool(theirs))
    axis_words(draw, *axes)
    return draw.render()


def dashed(draw: Drawing, points: Sequence[Point], *, color: str = CHAMPION) -> None:
    """A dashed path; nothing without points."""
    if points:
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        draw.parts.append(
            f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="2" '
            f'stroke-dasharray="{CHAMPION_DASH}"/>'
        )


def band(draw: Drawing, lower: Sequence[Point], upper: Sequence[Point], *, color: str = CANDIDATE) -> None:
    """What lies between two paths, lightly."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*lower, *reversed(upper)])
    draw.parts.append(f'<polygon points="{places}" fill="{color}" fill-opacity="0.18"/>')


def _roc(curves: Mapping[str, Any]) -> dict[str, list[tuple[float, float, float | None]]]:
    models = {model: curves.get(model) or {} for model in MODELS}
    return {model: [(p[0], p[1], p[2]) for p in of["roc"]] for model, of in models.items() if of.get("roc")}


def _ends(bins: Sequence[CalibrationBin]) -> tuple[list[float], list[float]]:
    return [b.observed.low for b in bins], [b.observed.high for b in bins]


def _told(bins: Sequence[CalibrationBin]) -> str:
    outside = sum(not b.observed.low <= b.mean_score <= b.observed.high for b in bins)
    return f"In {outside} of {len(bins)} bins the mean score is outside the interval of what was observed."


def _axes(draw: Drawing, heading: str, top: float, *, rooted: bool = False) -> tuple[Place, Place]:
    """A square from 0 to ``top`` with its grid."""
    draw.text(16, 24, heading, size=14, bold=True)
    across, up = _places(top, SIDE, rooted=rooted), _places(top, HEIGHT, rooted=rooted)
    for tick in _root_ticks(top) if rooted else Scale(0, top, *SIDE).ticks():
        draw.line((across(tick), HEIGHT[0]), (across(tick), HEIGHT[1]))
        draw.line((SIDE[0], up(tick)), (SIDE[1], up(tick)))
        draw.text(across(tick), HEIGHT[0] + 16, f"{tick:g}", size=11, anchor="middle", color=MUTED)
        draw.text(SIDE[0] - 6, up(tick) + 4, f"{tick:g}", size=11, anchor="end", color=MUTED)
    return across, up


def _places(top: float, ends: tuple[float, float], *, rooted: bool) -> Place:
    scale = Scale(0, top**0.5 if rooted else top, *ends)
    return (lambda value: scale(max(value, 0.0) ** 0.5)) if rooted else scale


def _root_ticks(top: float) -> list[float]:
    """Round values that stand apart on a square-root axis."""
    return [
        0.0,
        *(tick for share in (0.04, 0.16, 0.36, 0.64, 1) for tick in [float(f"{top * share:.1g}")] if tick <= top),
    ]


def legend(draw: Drawing, *, champion: bool) -> None:
    """Which line is whose."""
    draw.line((200, 20), (224, 20), color=CANDIDATE, width=2)
    draw.text(230, 24, "candidate")
    if champion:
        draw.line((304, 20), (328, 20), color=CHAMPION, width=2, dash=CHAMPION_DASH)
        draw.text(334, 24, "champion")


def axis_words(draw: Drawing, across: str, up: str, *, rooted: bool = False) -> None:
    """What is measured along both sides."""
    draw.text(230, 318, f"{across} (across), {up} (up)", anchor="middle", color=MUTED)
    if rooted:
        draw.text(230, 336, "square-root scale: most scores are small", size=11, anchor="middle", color=MUTED)
