"""The charts an approver looks at, each a small SVG; None when what it shows was not measured."""

from collections.abc import Iterable

from gatewright.core.directions import direction_of
from gatewright.core.policy import Limit
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Interval, Measurement
from gatewright.core.spec import Task
from gatewright.services.reports.curve_charts import draw_calibration
from gatewright.services.reports.details import GroupRow, calibration, groups
from gatewright.services.reports.svg import BAD, CANDIDATE, GOOD, INK, MUTED, data_uri
from gatewright.services.reports.whiskers import WIDE, Layout, Whisker, whisker_chart
from gatewright.services.reports.wording import label, number, short_label, signed, span

__all__ = [
    "KEY_METRICS",
    "calibration_chart",
    "comparison_chart",
    "data_uri",
    "direction_words",
    "draw_drift",
    "drift_chart",
    "fairness_chart",
    "key_metrics",
    "top_drift",
]

KEY_METRICS: dict[Task, tuple[str, ...]] = {
    "binary_classification": (
        "auc", "log_loss", "brier", "expected_calibration_error", "precision", "recall", "accuracy"
    ),
    "multiclass_classification": (
        "macro_auc", "log_loss", "brier", "expected_calibration_error", "macro_precision", "macro_recall", "accuracy"
    ),
    "regression": ("rmse", "mae", "quantile_loss", "bias", "mape", "r2"),
}  # fmt: skip
# Levels of these are no errors in the target's unit: on one scale with them nobody could read either.
_SHARES = ("mape", "r2")
MAX_ROWS = 24


def key_metrics(view: ReleaseView) -> tuple[str, ...]:
    """What a model of this task is known by."""
    return KEY_METRICS[view.spec.task]


def comparison_chart(view: ReleaseView, layout: Layout = WIDE) -> str | None:
    """The change of each key metric against the champion with its interval, better to the right.

    Each metric has its own scale, so only the place of an interval beside zero and beside the limit can be compared.
    Without a champion the values are drawn.
    """
    changes = [w for w in (_change(view, metric, layout) for metric in key_metrics(view)) if w is not None]
    if not changes:
        return _levels_chart(view, layout)
    return whisker_chart(
        "Candidate against champion, each metric on its own scale",
        changes,
        layout.scale(-1, 1),
        zero=True,
        ends=("worse", "better"),
        layout=layout,
        heading="Candidate against champion" if layout is WIDE else "Change",
    )


def _levels_chart(view: ReleaseView, layout: Layout) -> str | None:
    shown = [metric for metric in key_metrics(view) if metric not in _SHARES]
    values = [w for w in (_level(view, metric) for metric in shown) if w is not None]
    if not values:
        return None
    scale = layout.scale(0, 1)
    if view.spec.task == "regression":
        scale = layout.scale(min(0, *(w.low for w in values)), max(w.high for w in values) * 1.1 or 1.0)
    return whisker_chart("The candidate's metrics (no champion serves)", values, scale, layout=layout)


def fairness_chart(view: ReleaseView, rate: str = "true_positive_rate", layout: Layout = WIDE) -> str | None:
    """One rate by group with its interval and the group's support."""
    rows = [_group_whisker(row, rate, layout) for row in groups(view) if rate in row.rates][:MAX_ROWS]
    if not rows:
        return None
    return whisker_chart(f"{label(rate).capitalize()} by group", rows, layout.scale(0, 1), layout=layout)


def calibration_chart(view: ReleaseView) -> str | None:
    """Observed share of positives against the mean score; on the dashed line the scores tell the truth."""
    return draw_calibration(calibration(view), calibration(view, "champion"))


def top_drift(view: ReleaseView, count: int) -> list[Measurement]:
    """The features (and the score) whose population stability index is the highest."""
    return _highest_psi((m for stage, m in view.measurements() if stage == "drift"), count)


def drift_chart(view: ReleaseView, count: int = 8) -> str | None:
    """The highest population stability indexes with their intervals and the policy's limit."""
    drift = (m for stage, m in view.measurements() if stage == "drift")
    return draw_drift(drift, view.policy.rules, count)


def draw_drift(measurements: Iterable[Measurement], rules: Iterable[Limit], count: int) -> str | None:
    """The highest of ``measurements``, with the strictest limit among ``rules``; None without any."""
    top = _highest_psi(measurements, count)
    if not top:
        return None
    limits = [r.maximum for r in rules if r.metric == "psi" and r.maximum is not None]
    rows = [_drifted(m, min(limits, default=None)) for m in top]
    reach = max([row.high for row in rows] + limits) * 1.1 or 1.0
    return whisker_chart("Population stability index, highest first", rows, WIDE.scale(0, reach))


def _highest_psi(measurements: Iterable[Measurement], count: int) -> list[Measurement]:
    measured = [m for m in measurements if m.metric == "psi" and m.value is not None]
    return sorted(measured, key=lambda m: (-(m.value or 0.0), m.slice))[:count]


def _drifted(m: Measurement, limit: float | None) -> Whisker:
    value = m.value or 0.0
    low, high = (value, value) if m.interval is None else (m.interval.low, m.interval.high)
    over = limit is not None and value > limit
    words = f"{number(value)}  over the limit of {limit:g}" if over else number(value)
    return Whisker(m.slice, low, value, high, words, BAD if over else CANDIDATE, limit)


def _change(view: ReleaseView, metric: str, layout: Layout) -> Whisker | None:
    """On a scale from -1 to 1 that reaches to the far end of interval and limit, turned so that right is better."""
    way, m = direction_of(metric), view.find("evaluate", f"{metric}_change")
    if m is None or m.value is None or m.interval is None or way is None:
        return None
    words, color = direction_words(metric, m.interval)
    limit = _limit_of(view, m.metric)
    reach = 1.05 * max(abs(m.interval.low), abs(m.interval.high), abs(limit or 0)) or 1.0
    sign = (1 if way == "higher" else -1) / reach
    low, high = sorted((m.interval.low * sign, m.interval.high * sign))
    return Whisker(
        label(metric) if layout is WIDE else short_label(metric),
        low,
        m.value * sign,
        high,
        f"{signed(m.value)}  {words}",
        color,
        None if limit is None else limit * sign,
        _levels(view, metric, m.value) if layout is WIDE else "",
    )


def _limit_of(view: ReleaseView, metric: str) -> float | None:
    rule = next((r for r in view.policy.rules if r.measured_as == metric and r.slices == "all"), None)
    low, high = (None, None) if rule is None else rule.allowed
    return high if low is None else low


def _levels(view: ReleaseView, metric: str, change: float) -> str:
    candidate = view.find("evaluate", metric)
    if candidate is None or candidate.value is None:
        return ""
    return f"{number(candidate.value - change)} → {number(candidate.value)}"


def direction_words(metric: str, interval: Interval) -> tuple[str, str]:
    """Whether a change was shown to be better or worse, in words and as a colour."""
    if interval.low <= 0 <= interval.high:
        return "no clear change", MUTED
    way = direction_of(metric)
    if way is None:
        return "changed", INK
    better = (interval.low > 0) == (way == "higher")
    return ("better", GOOD) if better else ("worse", BAD)


def _level(view: ReleaseView, metric: str) -> Whisker | None:
    m = view.find("evaluate", metric)
    if m is None or m.value is None or m.interval is None:
        return None
    # Log loss alone of the probabilities' metrics has no upper end and would be drawn at the edge.
    if view.spec.task != "regression" and m.interval.high > 1:
        return None
    limit, words = _limit_of(view, metric), f"{number(m.value)}  {span(m.interval)}"
    return Whisker(short_label(metric), m.interval.low, m.value, m.interval.high, words, CANDIDATE, limit)


def _group_whisker(row: GroupRow, rate: str, layout: Layout) -> Whisker:
    r = row.rates[rate]
    few = "" if r.supported else ", too few"
    rows = f"n {row.n:,}, " if layout is WIDE else ""
    words = f"{number(r.value)}  {rows}{row.positives:,} positive{few}"
    return Whisker(f"{row.slice}: {row.group}", r.low, r.value, r.high, words, CANDIDATE if r.supported else MUTED)
