"""The drift of a file as one HTML page that needs nothing else: a table, and both histograms of each column."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from gatewright.core.checks.drift_verdict import ColumnDrift, FileDrift
from gatewright.core.checks.profile import CategoricalProfile, NumericProfile
from gatewright.core.checks.profile_sums import CategoricalSums, NumericSums
from gatewright.core.results import Status
from gatewright.core.statistics.blocks import FloatArray
from gatewright.services.reports.escape import xml
from gatewright.services.reports.svg import BAD, CANDIDATE, GRID, INK, MUTED, Drawing, Scale
from gatewright.services.reports.wording import STATUS_WORDS, label, number, span

__all__ = ["drift_report"]

BARS = 30
CATEGORIES = 20
MAXIMUM_LEVELS = 60
# Shares of the reference beyond these are drawn in the outermost bars.
TAIL = 0.005
_STYLE = f"""body{{font:15px/1.5 system-ui,Segoe UI,Helvetica,Arial,sans-serif;color:{INK};background:#fff;
max-width:1000px;margin:2em auto;padding:0 1em}}table{{border-collapse:collapse;width:100%}}
th,td{{text-align:left;padding:4px 10px;border-bottom:1px solid {GRID};vertical-align:top}}
.t{{overflow-wrap:anywhere;min-width:8em}}.n{{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}}.bad{{color:{BAD};font-weight:600}}p.m{{color:{MUTED}}}
svg{{max-width:100%;height:auto}}"""


def drift_report(drift: FileDrift, reference: str, current: str) -> str:
    """The page; ``reference`` and ``current`` name the files. Everything from data or file names is escaped."""
    rows = "".join(_row(column) for column in drift.columns)
    titles = ("Result", "Column", "Kind", "PSI", f"{drift.confidence:.0%} interval", "Nulls", "Why")
    head = "".join(f"<th>{title}</th>" for title in titles)
    sections = "".join(_section(drift, column) for column in drift.columns if column.measurements)
    status = STATUS_WORDS[drift.status]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{status}: drift</title>'
        f"<style>{_STYLE}</style></head><body><h1>{status}: drift</h1>"
        f"<p>{xml(current)} ({drift.sums.rows:,} rows) against {xml(reference)} "
        f"({drift.profile.rows:,} rows): {xml(drift.window)}.</p>"
        f"<table><tr>{head}</tr>{rows}</table>{sections}</body></html>\n"
    )


def _row(column: ColumnDrift) -> str:
    psi = column.measurements.get("psi")
    value, interval = (psi.value, psi.interval) if psi else (None, None)
    then, now = column.null_rates
    nulls = "" if then is None or now is None else f"{then:.1%} to {now:.1%}"
    bad, why = ("", "") if column.status is Status.PASSED else (' class="bad"', column.reason)
    return (
        f'<tr><td{bad}>{STATUS_WORDS[column.status]}</td><td class="t">{xml(column.name)}</td>'
        f"<td>{xml(column.kind or '')}</td>"
        f'<td class="n">{number(value)}</td><td class="n">{span(interval)}</td>'
        f'<td class="n">{nulls}</td><td class="t">{xml(why)}</td></tr>'
    )


def _section(drift: FileDrift, column: ColumnDrift) -> str:
    found = "".join(
        f'<tr><td>{xml(label(m.metric))}</td><td class="n">{number(m.value)}</td>'
        f'<td class="n">{span(m.interval)}</td><td class="t">{xml(m.note)}</td></tr>'
        for m in column.measurements.values()
    )
    lists = _listed("New categories", column.new) + _listed("Vanished categories", column.vanished)
    return f"<h2>{xml(column.name)}</h2>{_chart(drift, column.name)}<table>{found}</table>{lists}"


def _listed(title: str, shares: Mapping[str, float]) -> str:
    if not shares:
        return ""
    shown = [f"{xml(name)} ({share:.2%})" for name, share in list(shares.items())[:CATEGORIES]]
    more = f" and {len(shares) - CATEGORIES} more" if len(shares) > CATEGORIES else ""
    return f'<p class="m">{title}: {", ".join(shown)}{more}.</p>'


def _chart(drift: FileDrift, name: str) -> str:
    feature, sums = drift.profile.features[name], drift.sums.features[name]
    if isinstance(feature, CategoricalProfile) and isinstance(sums, CategoricalSums):
        return _bars(name, *_category_shares(feature, sums))
    if isinstance(feature, NumericProfile) and isinstance(sums, NumericSums) and _has_width(feature):
        return _bars(name, *_number_shares(feature, sums))
    return '<p class="m">There are no values a histogram could show.</p>'


def _has_width(profile: NumericProfile) -> bool:
    return len(profile.edges) > 1 and math.isfinite(profile.edges[-1] - profile.edges[0])


def _category_shares(profile: CategoricalProfile, sums: CategoricalSums) -> tuple[list[str], FloatArray, FloatArray]:
    weight = {one: profile.counts.get(one, 0) / max(profile.rows, 1) for one in {*profile.counts, *sums.counts}}
    for one, count in sums.counts.items():
        weight[one] = max(weight[one], count / max(sums.rows, 1))
    shown = sorted(weight, key=lambda one: (-weight[one], one))[:CATEGORIES]
    then = np.array([profile.counts.get(one, 0) for one in shown]) / max(profile.rows, 1)
    now = np.array([sums.counts.get(one, 0) for one in shown]) / max(sums.rows, 1)
    if len(weight) <= CATEGORIES and not profile.other and not sums.other:
        return shown, then, now
    return [*shown, "all others"], np.append(then, max(0, 1 - then.sum())), np.append(now, max(0, 1 - now.sum()))


def _number_shares(profile: NumericProfile, sums: NumericSums) -> tuple[list[str], FloatArray, FloatArray]:
    """Shares of each value where there are few, else in bars of equal width over the bulk of the reference.

    What lies beyond is in the outermost bars.
    """
    edges = np.array(profile.edges)
    levels = _levels(profile)
    if 1 < levels.size <= MAXIMUM_LEVELS:
        starts = np.concatenate([[0], np.searchsorted(edges, levels[1:]) + 1])
        first, second = (np.add.reduceat(np.asarray(counts), starts) for counts in (profile.counts, sums.counts))
        names = [_written(level, profile.unit) for level in levels]
        return names, first / max(profile.rows, 1), second / max(sums.rows, 1)
    then, now = (_below(np.asarray(counts)) for counts in (profile.counts, sums.counts))
    inside = (then >= TAIL) & (then <= 1 - TAIL)
    low, high = (edges[inside].min(), edges[inside].max()) if inside.sum() > 1 else (edges[0], edges[-1])
    borders = np.linspace(0, 1, BARS + 1)
    # In units of the width: slopes between neighbouring floats overflow.
    with np.errstate(over="ignore"):
        places = (edges - low) / (high - low)
    shares = [np.diff(np.concatenate([[0], np.interp(borders[1:-1], places, side), [1]])) for side in (then, now)]
    middles = low + (high - low) * (borders[1:] + borders[:-1]) / 2
    return [_written(middle, profile.unit) for middle in middles], shares[0], shares[1]


def _levels(profile: NumericProfile) -> FloatArray:
    """The values of the reference where every one has a bin of its own; else none."""
    edges, counts = np.array(profile.edges), np.array(profile.counts)
    single = np.concatenate([[False], edges[1:] == np.nextafter(edges[:-1], np.inf), [False]])
    levels: FloatArray = edges[:-1][single[1:-1]]
    return levels if not counts[~single].any() else levels[:0]


def _below(counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
    return np.cumsum(counts)[:-1] / max(int(counts.sum()), 1)


def _written(value: float, unit: str) -> str:
    if unit == "date" and abs(value) < 700_000:
        return (date(1970, 1, 1) + timedelta(days=float(value))).isoformat()
    return f"{value:.4g}"


def _bars(title: str, names: Sequence[str], then: FloatArray, now: FloatArray) -> str:
    draw = Drawing(720, 240, f"Shares of {title}, reference and current")
    up = Scale(0, float(max(then.max(), now.max(), 1e-9)) * 1.05, 180, 36)
    step = 640 / len(names)
    draw.bar(16, 12, 10, 10, color=MUTED)
    draw.text(30, 21, "reference")
    draw.bar(110, 12, 10, 10, color=CANDIDATE)
    draw.text(124, 21, "current")
    for tick in up.ticks():
        draw.line((60, up(tick)), (700, up(tick)))
        draw.text(54, up(tick) + 4, f"{tick:.3g}", size=11, anchor="end", color=MUTED)
    for i, (before, after) in enumerate(zip(then, now, strict=True)):
        x = 60 + i * step
        draw.bar(x + step * 0.1, up(before), step * 0.4, 180 - up(before), color=MUTED)
        draw.bar(x + step * 0.5, up(after), step * 0.4, 180 - up(after), color=CANDIDATE)
    every = max(1, len(names) // 10)
    for i in range(0, len(names), every):
        words = names[i] if len(names[i]) <= 9 else names[i][:8] + "…"
        draw.text(60 + (i + 0.5) * step, 198 + 14 * (i // every % 2), words, size=11, anchor="middle", color=MUTED)
    return draw.render()
