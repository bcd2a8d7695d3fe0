"""The slices on which a candidate moved most against the champion, or is worst while none serves, in Markdown."""

from collections.abc import Iterator

from gatewright.core.release_view import ReleaseView
from gatewright.core.results import Interval, Measurement
from gatewright.services.reports.charts import direction_words
from gatewright.services.reports.escape import md
from gatewright.services.reports.svg import CANDIDATE
from gatewright.services.reports.tables import bullets, image, page
from gatewright.services.reports.whiskers import WIDE, Whisker, whisker_chart
from gatewright.services.reports.wording import number, signed, span

__all__ = ["slice_chart", "slices_that_moved"]

LEVEL, CHANGE = "error_rate", "error_rate_change"
# What the search for slices leaves behind: of levels and of changes.
FOUND = {LEVEL: "worst_slice_gap", CHANGE: "worst_slice_change"}
SHOWN = 8
HEADING = "## Slices that moved most"


def slices_that_moved(view: ReleaseView) -> str:
    """A chart of the error rate's change by slice, and what a search confirmed on rows it had not looked at."""
    metric = _metric(view)
    supported = len(list(_measured(view, metric)))
    if not supported:
        return page(HEADING, _why_not(view)).rstrip()
    kind = "change against the champion" if metric == CHANGE else "level; no champion serves"
    sentence = (
        f"Error rate by slice ({kind}): {min(SHOWN, supported)} of {supported} with enough rows, what surely got worse "
        "first. Each interval is that of its slice alone."
    )
    return page(HEADING, image(slice_chart(view), missing="No slice."), sentence, _confirmed(view, metric)).rstrip()


def slice_chart(view: ReleaseView) -> str | None:
    """Error rates by slice: changes that were shown to be worse first, then the largest; None without any."""
    metric = _metric(view)
    found = list(_measured(view, metric))
    if not found:
        return None
    rows = [_whisker(m, interval, metric) for m, interval in sorted(found, key=_weight)[:SHOWN]]
    if metric == LEVEL:
        return whisker_chart("Error rate, highest first", rows, WIDE.scale(0, 1))
    reach = max(max(abs(row.low), abs(row.high)) for row in rows) * 1.05 or 1.0
    return whisker_chart("Change of the error rate", rows, WIDE.scale(-reach, reach), zero=True)


def _whisker(m: Measurement, interval: Interval, metric: str) -> Whisker:
    value = m.value or 0.0
    if metric == LEVEL:
        return Whisker(m.slice, interval.low, value, interval.high, f"{number(value)}  n {m.n:,}", CANDIDATE)
    words, color = direction_words(metric, interval)
    return Whisker(m.slice, interval.low, value, interval.high, f"{signed(value)}  {words}, n {m.n:,}", color)


def _weight(found: tuple[Measurement, Interval]) -> tuple[bool, float, str]:
    m, interval = found
    value = m.value or 0.0
    worse = interval.low > 0
    return not worse, -value if worse else -abs(value), m.slice


def _metric(view: ReleaseView) -> str:
    return CHANGE if any(True for _ in _measured(view, CHANGE)) else LEVEL


def _measured(view: ReleaseView, metric: str) -> Iterator[tuple[Measurement, Interval]]:
    for stage, m in view.measurements():
        if stage == "slices" and m.metric == metric and m.value is not None and m.interval is not None:
            yield m, m.interval


def _confirmed(view: ReleaseView, metric: str) -> str:
    """What the search found and the other half of the rows confirmed, p-values adjusted for the search."""
    tested = [m for _, m in view.measurements() if m.metric == FOUND[metric]]
    if not tested:
        return ""
    held = [m for m in tested if m.p_value is not None and m.p_value <= view.policy.alpha]
    against = "than under the champion" if metric == CHANGE else "than elsewhere"
    if not held:
        return f"A search confirmed no slice that is worse {against}; it tested {len(tested)}."
    lines = (f"{md(m.slice)}: {signed(m.value)} {span(m.interval)}, n {m.n:,}, p {m.p_value:.2g}" for m in held)
    return page(
        f"A search confirmed {len(held)} of {len(tested)} as worse {against}, on rows it did not choose them by:",
        bullets(lines),
    ).rstrip()


def _why_not(view: ReleaseView) -> str:
    notes = (m.note for stage, m in view.measurements() if stage == "slices" and m.note)
    note = next(notes, "")
    return f"*Slices were not measured{': ' + md(note) if note else ''}.*"
