"""The four charts an approver looks at, each a small SVG; None when what it shows was not measured."""

from gatewright.core.directions import direction_of
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Interval, Measurement
from gatewright.core.spec import Task
from gatewright.services.reports.curve_charts import draw_calibration
from gatewright.services.reports.details import GroupRow, calibration, groups
from gatewright.services.reports.svg import BAD, CANDIDATE, GOOD, INK, MUTED, Drawing, Scale, data_uri
from gatewright.services.reports.whiskers import ROW, WIDTH, Whisker, clip, whisker_chart
from gatewright.services.reports.wording import label, number, signed

__all__ = [
    "KEY_METRICS",
    "calibration_chart",
    "comparison_chart",
    "data_uri",
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
# Beside errors in the target's unit, on one scale, nobody could read them.
_SHARES = ("mape", "r2")
MAX_ROWS = 24


def key_metrics(view: ReleaseView) -> tuple[str, ...]:
    """What a model of this task is known by."""
    return KEY_METRICS[view.spec.task]


def comparison_chart(view: ReleaseView) -> str | None:
    """The change of each key metric against the champion with its interval; without a champion, the values."""
    shown = [metric for metric in key_metrics(view) if metric not in _SHARES]
    changes = [w for w in (_change(view, metric) for metric in shown) if w is not None]
    if changes:
        reach = max(max(abs(w.low), abs(w.high), abs(w.limit or 0)) for w in changes) * 1.1 or 1.0
        scale = Scale(-reach, reach, 230, 480)
        return whisker_chart("Change against the champion (candidate minus champion)", changes, scale, zero=True)
    values = [w for w in (_level(view, metric) for metric in shown) if w is not None]
    if not values:
        return None
    scale = Scale(0, 1, 230, 480)
    if view.spec.task == "regression":
        scale = Scale(min(0, *(w.low for w in values)), max(w.high for w in values) * 1.1 or 1.0, 230, 480)
    return whisker_chart("The candidate's metrics (no champion serves)", values, scale)


def fairness_chart(view: ReleaseView, rate: str = "true_positive_rate") -> str | None:
    """One rate by group with its interval and the group's support."""
    rows = [_group_whisker(row, rate) for row in groups(view) if rate in row.rates][:MAX_ROWS]
    if not rows:
        return None
    return whisker_chart(f"{label(rate).capitalize()} by group", rows, Scale(0, 1, 230, 480))


def calibration_chart(view: ReleaseView) -> str | None:
    """Observed share of positives against the mean score; on the dashed line the scores tell the truth."""
    return draw_calibration(calibration(view))


def top_drift(view: ReleaseView, count: int) -> list[Measurement]:
    """The features (and the score) whose population stability index is the highest."""
    measured = [m for stage, m in view.measurements() if stage == "drift" and m.metric == "psi" and m.value is not None]
    return sorted(measured, key=lambda m: (-(m.value or 0.0), m.slice))[:count]


def drift_chart(view: ReleaseView, count: int = 8) -> str | None:
    """The highest population stability indexes as bars, with the policy's limit."""
    top = top_drift(view, count)
    if not top:
        return None
    limits = [r.maximum for r in view.policy.rules if r.metric == "psi" and r.maximum is not None]
    reach = max([m.value or 0.0 for m in top] + limits) * 1.1 or 1.0
    scale = Scale(0, reach, 230, 600)
    draw = Drawing(WIDTH, 64 + ROW * len(top), "Population stability index by feature")
    draw.text(16, 24, "Population stability index, highest first", size=14, bold=True)
    for i, m in enumerate(top):
        y = 44 + ROW * i
        over = any((m.value or 0.0) > bound for bound in limits)
        draw.text(16, y + 14, clip(m.slice), bold=over)
        draw.bar(230, y, max(scale(m.value or 0.0) - 230, 1), 18, color=BAD if over else CANDIDATE)
        words = f"{number(m.value)} over the limit" if over else number(m.value)
        draw.text(scale(m.value or 0.0) + 6, y + 14, words, color=MUTED)
    for bound in sorted(set(limits)):
        draw.line((scale(bound), 36), (scale(bound), draw.height - 18), color=INK, width=1.5, dash="5 4")
        draw.text(scale(bound), draw.height - 6, f"limit {bound:g}", size=11, anchor="middle", color=MUTED)
    return draw.render()


def _change(view: ReleaseView, metric: str) -> Whisker | None:
    m = view.find("evaluate", f"{metric}_change")
    if m is None or m.value is None or m.interval is None:
        return None
    words, color = _direction(metric, m.interval)
    rule = next((r for r in view.policy.rules if r.metric == m.metric and r.slices == "all"), None)
    bound = None if rule is None else rule.minimum if rule.minimum is not None else rule.maximum
    return Whisker(label(metric), m.interval.low, m.value, m.interval.high, f"{signed(m.value)}  {words}", color, bound)


def _direction(metric: str, interval: Interval) -> tuple[str, str]:
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
    return Whisker(label(metric), m.interval.low, m.value, m.interval.high, number(m.value), CANDIDATE)


def _group_whisker(row: GroupRow, rate: str) -> Whisker:
    r = row.rates[rate]
    few = "" if r.supported else ", too few"
    words = f"{number(r.value)}  n {row.n:,}, {row.positives:,} positive{few}"
    return Whisker(f"{row.slice}: {row.group}", r.low, r.value, r.high, words, CANDIDATE if r.supported else MUTED)
