"""The slices on which a candidate moved most against the champion, or is worst while none serves, in Markdown."""

from collections.abc import Iterator

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Interval, Measurement
from gatewright.core.spec import Task
from gatewright.services.reports.charts import direction_words
from gatewright.services.reports.escape import md
from gatewright.services.reports.svg import CANDIDATE
from gatewright.services.reports.tables import bullets, image, page
from gatewright.services.reports.whiskers import WIDE, Whisker, whisker_chart
from gatewright.services.reports.wording import number, signed, span

__all__ = ["slice_chart", "slices_drawn", "slices_that_moved"]

# What a slice is judged by: how often the model errs, or how far it is off.
ERRORS: dict[Task, str] = {
    "binary_classification": "error_rate",
    "multiclass_classification": "error_rate",
    "regression": "mae",
}
WORDS = {"error_rate": "error rate", "mae": "mean absolute error"}
CHANGE = "_change"
# What the search for slices leaves behind: of levels and of changes.
GAP_FOUND, CHANGE_FOUND = "worst_slice_gap", "worst_slice_change"
SHOWN = 8
HEADING = "## Slices that moved most"


def slices_that_moved(view: ReleaseView) -> str:
    """A chart of the error's change by slice, and what a search confirmed on rows it had not looked at."""
    metric, changed = _metric(view)
    supported = len(list(_measured(view, metric)))
    if not supported:
        return page(HEADING, _why_not(view)).rstrip()
    kind = "change against the champion" if changed else "level; no champion serves"
    sentence = (
        f"{_words(view).capitalize()} by slice ({kind}): {min(SHOWN, supported)} of {supported} with enough rows, what "
        "surely got worse first. Each interval is that of its slice alone."
    )
    chart = image(slice_chart(view), missing="No slice.")
    return page(HEADING, chart, sentence, _confirmed(view, changed=changed)).rstrip()


def slice_chart(view: ReleaseView) -> str | None:
    """The error by slice: changes that were shown to be worse first, then the largest; None without any."""
    metric, changed = _metric(view)
    if not _shown(view, metric):
        return None
    rows = [_whisker(m, interval, metric, changed=changed) for m, interval in _shown(view, metric)]
    if not changed:
        reach = 1.0 if view.spec.task != "regression" else max(row.high for row in rows) * 1.05 or 1.0
        return whisker_chart(f"{_words(view).capitalize()}, highest first", rows, WIDE.scale(0, reach))
    reach = max(max(abs(row.low), abs(row.high)) for row in rows) * 1.05 or 1.0
    return whisker_chart(f"Change of the {_words(view)}", rows, WIDE.scale(-reach, reach), zero=True)


def slices_drawn(view: ReleaseView) -> list[Measurement]:
    """What `slice_chart` draws, in its order."""
    return [m for m, _ in _shown(view, _metric(view)[0])]


def _shown(view: ReleaseView, metric: str) -> list[tuple[Measurement, Interval]]:
    return sorted(_measured(view, metric), key=_weight)[:SHOWN]


def _whisker(m: Measurement, interval: Interval, metric: str, *, changed: bool) -> Whisker:
    value = m.value or 0.0
    if not changed:
        return Whisker(m.slice, interval.low, value, interval.high, f"{number(value)}  n {m.n:,}", CANDIDATE)
    words, color = direction_words(metric.removesuffix(CHANGE), interval)
    return Whisker(m.slice, interval.low, value, interval.high, f"{signed(value)}  {words}, n {m.n:,}", color)


def _weight(found: tuple[Measurement, Interval]) -> tuple[bool, float, str]:
    m, interval = found
    value = m.value or 0.0
    worse = interval.low > 0
    return not worse, -value if worse else -abs(value), m.slice


def _metric(view: ReleaseView) -> tuple[str, bool]:
    """The change to the champion where there is one, else the level; and which of them it is."""
    level = ERRORS[view.spec.task]
    changed = any(True for _ in _measured(view, level + CHANGE))
    return (level + CHANGE, True) if changed else (level, False)


def _words(view: ReleaseView) -> str:
    return WORDS[ERRORS[view.spec.task]]


def _measured(view: ReleaseView, metric: str) -> Iterator[tuple[Measurement, Interval]]:
    for stage, m in view.measurements():
        if stage == "slices" and m.metric == metric and m.value is not None and m.interval is not None:
            yield m, m.interval


def _confirmed(view: ReleaseView, *, changed: bool) -> str:
    """What the search found and the other half of the rows confirmed, p-values adjusted for the search."""
    found = [m for _, m in view.measurements() if m.metric == (CHANGE_FOUND if changed else GAP_FOUND)]
    tested = [m for m in found if m.value is not None]
    if not tested:
        note = next((m.note for m in found if m.note), "")
        return f"*The worst slices were not searched for: {md(note)}.*" if note else ""
    held = [m for m in tested if m.p_value is not None and m.p_value <= view.policy.alpha]
    against = "than under the champion" if changed else "than elsewhere"
    if not held:
        return f"A search confirmed no slice that is worse {against}; it tested {len(tested)}."
    lines = (f"{md(m.slice)}: {signed(m.value)} {span(m.interval)}, n {m.n:,}, p {m.p_value:.2g}" for m in held)
    return page(
        f"A search confirmed {len(held)} of {len(tested)} as worse {against}, on rows it did not choose them by:",
        bullets(lines),
    ).rstrip()


def _why_not(view: ReleaseView) -> str:
    notes = (m.note for stage, m in view.measurements() if stage == "slices" and m.note)
    note = next(notes, "the spec names no slices" if view.spec.slices is None else "")
    return f"*Slices were not measured{': ' + md(note) if note else ''}.*"
