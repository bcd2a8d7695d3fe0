"""``gatewright drift``: do these data still look like those? Files alone, no store, no server."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.text import Text

from gatewright.cli.output import Json, Page, print_json, styled
from gatewright.cli.progress import progress
from gatewright.cli.text_plots import bar, sparkline
from gatewright.core.errors import SpecError
from gatewright.core.results import Measurement, Status
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import STATUS_WORDS, number
from gatewright.services.text_files import write_file

if TYPE_CHECKING:
    from gatewright.core.checks.drift_verdict import ColumnDrift, FileDrift

__all__ = ["drift"]

PASS, BLOCKED = 0, 2
DISTANCES = ("psi", "ks", "jensen_shannon", "wasserstein", "chi_square", "out_of_range")
# Characters of a status, a name and a bar; of a histogram, with bins or at most so many values; reasons told at once.
RESULT, NAME, BAR, BINS, SHOWN, REASONS = 13, 18, 8, 10, 12, 8
Columns = Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)]


def drift(
    *,
    reference: Path,
    current: Path,
    columns: Columns = (),
    categorical: Columns = (),
    time_column: str | None = None,
    calendar: Literal["month", "weekday"] = "month",
    psi: float = 0.25,
    null_rate: float = 0.1,
    new_categories: float = 0.05,
    out_of_range: float = 0.05,
    ks: float | None = None,
    jensen_shannon: float | None = None,
    wasserstein: float | None = None,
    chi_square: float | None = None,
    minimum_rows: int = 100,
    alpha: float = 0.05,
    save_profile: Path | None = None,
    report: Path | None = None,
    as_json: Json = False,
) -> int:
    """Compare current data with a reference, column by column. Exit code 0 pass, 2 blocked, 1 error.

    A column fails when a distance is above its limit and is inconclusive when only its interval reaches past it.

    Example: gatewright drift --reference train.parquet --current june.parquet --report drift.html

    Parameters
    ----------
    reference
        Parquet, .csv with a header, or .json from --save-profile.
    current
        Parquet, or .csv with a header.
    columns
        Compare only these, separated by spaces; all columns of the reference by default.
    categorical
        Columns of numbers that are codes.
    time_column
        Column of dates: compare each month (or day of the week) with the same of the reference. It is not judged.
    calendar
        What the time column is cut into: month or weekday.
    psi
        Limit of the population stability index.
    null_rate
        Limit of the change of the share of nulls, up or down.
    new_categories
        Limit of the share of rows with a category that the reference never had.
    out_of_range
        Limit of the share of rows below the smallest or above the largest value of the reference.
    ks
        Limit of the Kolmogorov-Smirnov distance; shown only by default, like the next three.
    jensen_shannon
        Limit of the Jensen-Shannon distance, from 0 to 1.
    wasserstein
        Limit of the Wasserstein distance in standard deviations of the reference.
    chi_square
        Limit of Cramer's V, from 0 to 1.
    minimum_rows
        With fewer rows on either side every column is inconclusive.
    alpha
        One-sided error rate of the intervals.
    save_profile
        Write the reference's profile, which stands for the reference from then on.
    report
        Write an HTML report, one file that needs nothing else.
    """
    from gatewright.core.checks.drift_verdict import DriftLimits
    from gatewright.services.file_drift import compare_with_file, reference_profile

    if not 0 < alpha < 0.5:
        raise SpecError(f"alpha is {alpha}.", where="--alpha", remedy="give a number between 0 and 0.5.")
    limits = DriftLimits(
        psi, null_rate, new_categories, out_of_range, ks, jensen_shannon, wasserstein, chi_square,
        minimum_rows=minimum_rows,
    )  # fmt: skip
    with progress(f"reading {reference.name}", None) as done:
        profile = reference_profile(
            reference, _split(columns), _split(categorical), time_column=time_column, calendar=calendar, progress=done
        )
    if save_profile is not None:
        write_file(save_profile, profile.to_bytes())
    with progress(f"reading {current.name}", None) as done:
        found = compare_with_file(profile, current, _split(columns), limits, confidence=1 - 2 * alpha, progress=done)
    if report is not None:
        from gatewright.services.reports.drift_report import drift_report

        write_file(report, drift_report(found, str(reference), str(current)))
    if as_json:
        print_json(_summary(found, str(reference), str(current)))
    else:
        _print(found, report or "--report FILE")
    return PASS if found.status is Status.PASSED else BLOCKED


def _value(column: "ColumnDrift", metric: str) -> float | None:
    return column.measurements[metric].value if metric in column.measurements else None


def _split(names: Sequence[str]) -> list[str]:
    return [part for name in names for part in name.split(",") if part]


def _summary(found: "FileDrift", reference: str, current: str) -> dict[str, Any]:
    return {
        "status": found.status.value,
        "reference": {"file": reference, "rows": found.profile.rows, "window": found.window},
        "current": {"file": current, "rows": found.sums.rows},
        "limits": vars(found.limits),
        "columns": {column.name: _column(column) for column in found.columns},
    }


def _column(column: "ColumnDrift") -> dict[str, Any]:
    then, now = column.null_rates
    found = column.measurements
    return {
        "kind": column.kind,
        "status": column.status.value,
        "reason": column.reason,
        **{name: _measured(found.get(name)) for name in DISTANCES},
        "psi_without_drift": column.usual_index,
        "new_categories": dict(column.new),
        "vanished_categories": dict(column.vanished),
        "null_rate": {"reference": then, "current": now},
        "new_share": _measured(found.get("new_categories")),
        "vanished_share": _measured(found.get("vanished_categories")),
        "null_rate_change": _measured(found.get("null_rate_change")),
    }


def _measured(m: Measurement | None) -> dict[str, Any]:
    if m is None:
        return {"value": None, "interval": None, "n": 0, "p_value": None, "note": "not measured for this column"}
    interval = None if m.interval is None else [m.interval.low, m.interval.high]
    return {"value": m.value, "interval": interval, "n": m.n, "p_value": m.p_value, "note": m.note}


def _print(found: "FileDrift", report: Path | str) -> None:
    """Verdict, what fails and by how much, then a line a column with both histograms."""
    page = Page()
    rows = f"{found.profile.rows:,} reference rows, {found.sums.rows:,} current rows"
    word = STATUS_WORDS[found.status]
    page.line(f"{rows}; compared with {found.window}", label=word, label_width=len(word) + 1)
    failed = [column for column in found.columns if column.status is not Status.PASSED]
    for column in failed[:REASONS]:
        page.line(f"{column.name}: {column.reason}", indent=2, label="-", label_width=1)
    if len(failed) > REASONS:
        page.line(f"and {len(failed) - REASONS} more; --json and --report name them all", indent=2)
    page.heading("Columns: the index against its limit; values of the reference, and now")
    names = [_clip(column.name) for column in found.columns]
    for name, column in zip(names, found.columns, strict=True):
        page.drawn(*_line(found, column, name.ljust(max(map(len, names))), page.plain_plots))
    if failed:
        page.line("")
        words = f"ask the source of {failed[0].name} what changed; if the world did, retrain. {report} draws both."
        page.line(words, label="Next", label_width=4)


def _line(found: "FileDrift", column: "ColumnDrift", name: str, ascii_only: bool) -> list[Text]:
    from gatewright.services.reports.drift_shares import column_shares

    psi, limit, word = _value(column, "psi"), found.limits.psi, STATUS_WORDS[column.status]
    drawn = bar(psi, full=2 * limit, width=BAR, mark=limit, plain=ascii_only) if limit else ""
    shares = column_shares(found, column.name, bars=BINS)
    both = ["", ""]
    if shares is not None:
        top = float(max(shares.then.max(), shares.now.max()))
        both = [sparkline(side.tolist()[:SHOWN], top=top, plain=ascii_only) for side in (shares.then, shares.now)]
    start = styled(word).append(" " * (RESULT - len(word)), style="none")
    return [
        start,
        Text(f"{name}  {_index(psi):>7} {drawn:<{BAR}} {both[0]:<{SHOWN}} {both[1]:<{SHOWN}} {_changes(column)}"),
    ]


def _index(psi: float | None) -> str:
    """Below a thousandth nobody needs to know."""
    return "< 0.001" if psi is not None and psi < 0.001 else number(psi)


def _changes(column: "ColumnDrift") -> str:
    """What else happened: nulls, and categories that came or went."""
    then, now = column.null_rates
    moved = then is not None and now is not None and f"{then:.1%}" != f"{now:.1%}"
    nulls = [f"nulls {then:.1%} to {now:.1%}"] if moved else []
    lists = (("new", column.new), ("vanished", column.vanished))
    return ", ".join([*nulls, *(f"{len(names)} {word}" for word, names in lists if names)])


def _clip(name: str) -> str:
    shown = plain(name)
    return shown if len(shown) <= NAME else f"{shown[: NAME - 1]}…"
