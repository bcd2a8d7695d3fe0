"""What the expectations said of the data, in Markdown."""

from gatewright.core.refs import DatasetRef
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.details import FailedCheck, failed_expectations, failures_by_severity
from gatewright.services.reports.escape import md
from gatewright.services.reports.tables import bullets, page, table
from gatewright.services.reports.wording import number, short

__all__ = ["data_summary"]

NOT_MEASURED = "not measured"
FIRST = 3


def data_summary(view: ReleaseView) -> str:
    """Rows, periods and expectations of both data sets: how many ran, how many failed, and the first that did."""
    if view.data is None:
        return page("## Data", "*The data were not pinned.*").rstrip()
    sets = {"training": view.data.training, "evaluation": view.data.evaluation}
    header = ("Data", "Periods", "Rows", "Expectations", "Critical failed", "Warning failed", "Info failed", "Digest")
    listing = table(header, (_row(view, name, ref) for name, ref in sets.items()), numbers=(2, 3, 4, 5, 6))
    return page("## Data", listing, bullets(line for name in sets for line in _first(view, name))).rstrip()


def _row(view: ReleaseView, name: str, ref: DatasetRef) -> tuple[str, ...]:
    info = failures_by_severity(view, name).get("info")
    return (
        name,
        md(", ".join(ref.periods)),
        f"{ref.rows:,}",
        _count(view, "expectations_evaluated", name),
        _count(view, "failed_critical_expectations", name),
        _count(view, "failed_warning_expectations", name),
        NOT_MEASURED if info is None else str(info),
        short(ref.digest),
    )


def _first(view: ReleaseView, name: str) -> list[str]:
    failed = failed_expectations(view, name)
    lines = [_line(name, one) for one in failed[:FIRST]]
    rest = len(failed) - FIRST
    return [*lines, f"and {rest} more of the {name} data: `gatewright show`"] if rest > 0 else lines


def _line(name: str, failed: FailedCheck) -> str:
    column = f"{md(failed.column)}, " if failed.column else ""
    rows = "" if failed.rows is None else f": {failed.rows:,} rows do not hold"
    raised = f": it raised, {md(failed.raised)}" if failed.raised else ""
    return f"**{md(failed.severity)}**, {name} data: {column}{md(failed.words)}{raised or rows}"


def _count(view: ReleaseView, metric: str, name: str) -> str:
    measured = view.find("validate", metric, name)
    return NOT_MEASURED if measured is None else number(measured.value)
