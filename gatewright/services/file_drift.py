"""Compare a file with a reference, column by column."""

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path

from gatewright.core.checks.drift import measure_drift_sums
from gatewright.core.checks.drift_verdict import ColumnDrift, DriftLimits, FileDrift, judge_columns, not_comparable
from gatewright.core.checks.profile import Calendar, Profile
from gatewright.core.checks.windows import reference_window
from gatewright.core.errors import DataError, SpecError
from gatewright.core.results import Status
from gatewright.services.batches import DataFile
from gatewright.services.profiles import file_kinds, file_sums, mismatch, profile_file, read_profile
from gatewright.services.reports.escape import plain

__all__ = ["compare_with_file", "reference_profile"]


def reference_profile(
    path: Path,
    columns: Sequence[str] = (),
    categorical: Sequence[str] = (),
    *,
    time_column: str | None = None,
    calendar: Calendar = "month",
    progress: Callable[[int], None] | None = None,
) -> Profile:
    """The profile of a Parquet or CSV file, or the stored one of a .json file; all columns where none is named.

    ``categorical``: columns of numbers that are codes; ``progress`` is told how many rows have been read. Raises
    DataError for an unreadable file or a missing column.
    """
    if path.suffix.lower() == ".json":
        return _stored_profile(path, categorical, time_column)
    file = _opened(path)
    chosen = [name for name in columns or file.schema.names if name != time_column]
    there = [name for name in chosen if name in file.schema.names]
    kinds = file_kinds(file, there, categorical)
    file.require([*categorical, *([time_column] if time_column else [])])
    known = {name: kind for name, kind in kinds.items() if kind is not None}
    file.progress = progress
    return profile_file(file, known, calendar=calendar if time_column else None, time_column=time_column)


def _opened(path: Path) -> DataFile:
    """Raises DataError for a file that is none, or has two columns of one name."""
    file = DataFile(path)
    file.require(file.schema.names)
    return file


def _stored_profile(path: Path, categorical: Sequence[str], time_column: str | None) -> Profile:
    profile = read_profile(path)
    if categorical or time_column not in (None, profile.time_column):
        raise SpecError(
            "kinds and time column of a stored profile are fixed.",
            where=str(path),
            remedy="leave out --categorical and --time-column, or name the reference's data.",
        )
    return profile


def compare_with_file(
    profile: Profile,
    path: Path,
    columns: Sequence[str],
    limits: DriftLimits,
    *,
    confidence: float,
    progress: Callable[[int], None] | None = None,
) -> FileDrift:
    """The drift of a file's ``columns`` (all of both sides where none is named), in one pass over it.

    ``progress`` is told how many rows have been read. A column that one side lacks, or that holds something else
    there, is an error of that column. Raises SpecError for a column that neither side has, DataError for an
    unreadable file.
    """
    file = _opened(path)
    file.progress = progress
    problems = {name: _problem(profile, file, name) for name in _wanted(profile, file, columns)}
    comparable = _narrowed(profile, [name for name, problem in problems.items() if problem is None])
    sums = file_sums(file, comparable)
    window = reference_window(comparable, sums.parts)
    measurements = measure_drift_sums(comparable, sums, confidence=confidence)
    verdicts = judge_columns(window.profile, sums, measurements, limits)
    broken = [not_comparable(name, problem) for name, problem in problems.items() if problem is not None]
    columns_found = tuple(sorted([*verdicts, *broken], key=_severity))
    return FileDrift(window.words, window.profile, sums, limits, confidence, columns_found)


def _wanted(profile: Profile, file: DataFile, columns: Sequence[str]) -> list[str]:
    both = dict.fromkeys([*profile.features, *file.schema.names])
    for name in columns:
        if name not in both:
            nearest = difflib.get_close_matches(name, both, n=1)
            hint = f"did you mean `{nearest[0]}`?" if nearest else f"there are: {', '.join(map(str, both))}."
            raise SpecError(f"neither side has a column `{plain(name)}`.", where="--columns", remedy=hint)
    wanted = [name for name in columns or both if name != profile.time_column]
    if not wanted:
        raise DataError("there is no column to compare.", where=str(file.path), remedy="name a file with columns.")
    return wanted


def _problem(profile: Profile, file: DataFile, name: str) -> str | None:
    if name in profile.features:
        return mismatch(profile.features[name], file, name)
    return "the reference lacks the column, or has no values there that can be compared"


def _narrowed(profile: Profile, names: Sequence[str]) -> Profile:
    """Only these features; scores and labels of a stored profile have no column here."""
    parts = {part: _narrowed(inner, names) for part, inner in profile.parts.items()}
    features = {name: profile.features[name] for name in names}
    return profile.model_copy(update={"features": features, "parts": parts, "score": None, "label": None})


def _severity(column: ColumnDrift) -> tuple[int, float, str]:
    order = (Status.ERROR, Status.FAILED, Status.INCONCLUSIVE, Status.PASSED)
    psi = column.measurements.get("psi")
    return order.index(column.status), -((psi.value if psi else None) or 0.0), column.name
