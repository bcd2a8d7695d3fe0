"""The report of the drift of a file: one HTML page that needs nothing else, with both histograms of each column."""

from collections.abc import Mapping

from markupsafe import Markup

from gatewright.core.checks.drift_verdict import ColumnDrift, FileDrift
from gatewright.core.results import Status
from gatewright.services.reports.blocks import Block, Cell, Figure, Heading, Missing, Section, Table, Text
from gatewright.services.reports.drift_shares import Shares, column_shares
from gatewright.services.reports.file_report import file_report
from gatewright.services.reports.svg import CANDIDATE, MUTED, Drawing, Scale
from gatewright.services.reports.wording import STATUS_WORDS, label, number, span

__all__ = ["drift_report"]

# More names are listed nowhere: they say no more than their number.
NAMED = 20


def drift_report(drift: FileDrift, reference: str, current: str) -> str:
    """The page; ``reference`` and ``current`` name the files. Everything from data or file names is escaped."""
    failed = [one for one in drift.columns if one.status is not Status.PASSED]
    return file_report(
        STATUS_WORDS[drift.status],
        f"{current} against {reference}",
        facts=f"{drift.sums.rows:,} rows against {drift.profile.rows:,}: {drift.window}; "
        f"intervals at {drift.confidence:.0%}",
        reasons=[f"{one.name}: {one.reason}" for one in failed],
        otherwise="Every column is distributed as in the reference, within the limits.",
        sections=[
            Section("columns", "Columns, the worst first", [_overview(drift)]),
            Section("measured", "Each column", [block for one in drift.columns for block in _column(drift, one)]),
        ],
    )


def _overview(drift: FileDrift) -> Table:
    header = ("Column", "Result", "Kind", "PSI", f"{drift.confidence:.0%} interval", "Nulls", "Why")
    return Table(
        f"{len(drift.columns)} columns", header, [_row(one) for one in drift.columns], numbers=frozenset({3, 4, 5})
    )


def _row(column: ColumnDrift) -> tuple[Cell, ...]:
    psi = column.measurements.get("psi")
    value, interval = (psi.value, psi.interval) if psi else (None, None)
    return (
        column.name,
        STATUS_WORDS[column.status],
        column.kind or "",
        number(value),
        span(interval),
        _nulls(column),
        "" if column.status is Status.PASSED else column.reason,
    )


def _nulls(column: ColumnDrift) -> str:
    then, now = column.null_rates
    return "" if then is None or now is None else f"{then:.1%} to {now:.1%}"


def _column(drift: FileDrift, column: ColumnDrift) -> list[Block]:
    if not column.measurements:
        return [Heading(column.name), Missing(column.reason)]
    rows = [(label(m.metric), number(m.value), span(m.interval), m.note) for m in column.measurements.values()]
    header = ("Metric", "Value", "Interval", "Note")
    measured = Table(f"{column.name}: all that was measured", header, rows, numbers=frozenset({1}))
    shares = column_shares(drift, column.name)
    if shares is None:
        chart: list[Block] = [Missing("There are no values a histogram could show."), measured]
    else:
        drawing = Markup(_bars(column.name, shares))
        says = "Share of the rows by value, in the reference (grey) and now (blue)."
        chart = [Figure(column.name, says, [drawing], measured)]
    lists = [*_listed("New categories", column.new), *_listed("Vanished categories", column.vanished)]
    return [Heading(column.name), *chart, *lists]


def _listed(title: str, shares: Mapping[str, float]) -> list[Block]:
    if not shares:
        return []
    shown = [f"{name} ({share:.2%})" for name, share in list(shares.items())[:NAMED]]
    more = f" and {len(shares) - NAMED} more" if len(shares) > NAMED else ""
    return [Text(f"{title}: {', '.join(shown)}{more}.")]


def _bars(title: str, shares: Shares) -> str:
    names, then, now = shares
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
