"""A release drawn in characters: the change against the champion, drift by feature, rates by group. One line each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.text import Text

from gatewright.cli.output import styled
from gatewright.cli.text_plots import bar, whisker
from gatewright.core.number_diff import shown
from gatewright.core.release_view import ReleaseView
from gatewright.core.results import CheckResult
from gatewright.services.reports.charts import key_metrics, top_drift
from gatewright.services.reports.details import GroupRow, groups
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import number, short_label, span

__all__ = ["comparison", "drift_bars", "group_whiskers", "limit_whisker"]

MAX_NAME, MIN_PLOT, MAX_PLOT = 26, 7, 36


@dataclass(frozen=True)
class Row:
    """One line before it is laid out: cells of words, what to draw, and a word at the end."""

    cells: tuple[str, ...]
    low: float | None
    value: float | None
    high: float | None
    end: str
    scale: tuple[float, float] = (0.0, 1.0)
    mark: float | None = None


def comparison(view: ReleaseView, *, width: int, ascii_only: bool) -> list[Text]:
    """Each key metric of the candidate with its change against the champion, drawn around zero on a scale of its own.

    Without a champion the values alone. Empty when nothing was measured.
    """
    rows = [row for row in (_compared(view, metric) for metric in key_metrics(view)) if row is not None]
    return _drawn(rows, width=width, ascii_only=ascii_only)


def drift_bars(view: ReleaseView, *, width: int, ascii_only: bool, count: int = 5) -> list[Text]:
    """The features that moved most, with the policy's limit as a thin bar; empty when drift was not measured."""
    top = top_drift(view, count)
    limits = [rule.maximum for rule in view.policy.rules if rule.metric == "psi" and rule.maximum is not None]
    names = [_clip(plain(m.slice)) for m in top]
    space, room = max(map(len, names), default=0), max(MIN_PLOT, min(MAX_PLOT, width - MAX_NAME - 20))
    full = max([m.value or 0.0 for m in top] + limits, default=1.0) * 1.05
    lines = []
    for name, m in zip(names, top, strict=True):
        over = any((m.value or 0.0) > limit for limit in limits)
        drawn = bar(m.value, full=full, width=room, mark=min(limits, default=None), plain=ascii_only).ljust(room)
        words = f"{number(m.value)}{' over the limit' if over else ''}"
        lines.append(Text(f"{name:<{space}}  ").append(drawn, style="red" if over else "cyan").append(f"  {words}"))
    return lines


def group_whiskers(view: ReleaseView, *, width: int, ascii_only: bool, rate: str = "true_positive_rate") -> list[Text]:
    """One rate by group with its interval and support, all on one scale; empty where there are no groups."""
    listed = [one for one in groups(view) if rate in one.rates]
    ends = [end for one in listed for end in (one.rates[rate].low, one.rates[rate].high)]
    rows = [replace(_group(one, rate), scale=(min(ends), max(ends))) for one in listed]
    return _drawn(rows, width=width, ascii_only=ascii_only)


def limit_whisker(result: CheckResult, *, width: int, ascii_only: bool) -> str:
    """A result's value and interval with its limits as thin bars; empty where nothing was measured on an interval."""
    value, interval = result.value, result.interval
    limits = [limit for limit in (result.minimum, result.maximum) if limit is not None]
    if value is None or interval is None or not limits:
        return ""
    ends = [interval.low, interval.high, *limits]
    edge = (max(ends) - min(ends)) * 0.08 or 1.0
    scale = (min(ends) - edge, max(ends) + edge)
    return whisker(
        interval.low, value, interval.high, scale=scale, width=min(width, MAX_PLOT), marks=limits, plain=ascii_only
    )


def _compared(view: ReleaseView, metric: str) -> Row | None:
    ours, change = view.find("evaluate", metric), view.find("evaluate", f"{metric}_change")
    if ours is None:
        return None
    name = short_label(metric)
    if change is None:
        return Row((name, number(ours.value), "", span(ours.interval)), None, None, None, "")
    interval = change.interval
    low, high = (interval.low, interval.high) if interval else (None, None)
    within = "" if interval is None else f"[{_brief(interval.low)}, {_brief(interval.high)}]"
    sign = "+" if change.value is not None and change.value > 0 else ""
    cells = (name, number(ours.value), sign + _brief(change.value), within)
    reach = max(abs(low or 0.0), abs(high or 0.0)) or 1.0
    word = shown(metric, change.value, interval)
    return Row(cells, low, change.value, high, word, scale=(-reach, reach), mark=0.0)


def _brief(value: float | None) -> str:
    """As `number`, but small ones in two digits with a power of ten: a plot needs the room."""
    return number(value) if value is None or not 0 < abs(value) < 0.01 else f"{value:.2g}"


def _drawn(rows: Sequence[Row], *, width: int, ascii_only: bool) -> list[Text]:
    return list(_lines(rows, width=width, ascii_only=ascii_only)) if rows else []


def _lines(rows: Sequence[Row], *, width: int, ascii_only: bool) -> Iterator[Text]:
    widths = [max(len(row.cells[i]) for row in rows) for i in range(len(rows[0].cells))]
    plots = any(row.low is not None for row in rows)
    used = sum(widths) + 2 * len([one for one in widths if one]) + max(len(row.end) for row in rows) + 2
    room = max(MIN_PLOT, min(MAX_PLOT, width - used)) if plots else 0
    for row in rows:
        text = Text("  ".join(cell.ljust(space) for cell, space in zip(row.cells, widths, strict=True) if space))
        marks = () if row.mark is None else (row.mark,)
        if room:
            drawn = whisker(row.low, row.value, row.high, scale=row.scale, width=room, marks=marks, plain=ascii_only)
            text.append("  ").append(drawn, style=styled(row.end).style)
        yield text.append("  ").append_text(styled(row.end))


def _group(one: GroupRow, rate: str) -> Row:
    found = one.rates[rate]
    name = _clip(plain(f"{one.slice}={one.group}"))
    cells = (name, number(found.value), f"[{number(found.low)}, {number(found.high)}]")
    return Row(cells, found.low, found.value, found.high, f"n {one.n:,}{'' if found.supported else ', too few'}")


def _clip(name: str) -> str:
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"
