"""Profiles of files: a reference is streamed twice (edges, then sums), current data once."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gatewright.core.checks.profile import Calendar, FeatureProfile, NumericProfile, Profile
from gatewright.core.checks.profile_build import blank_profile, filled_profile, part_sums, sample_rows
from gatewright.core.checks.profile_columns import Kind, arrow_kind
from gatewright.core.checks.profile_sums import ProfileSums, current_sums, no_sums
from gatewright.core.errors import DataError, IntegrityError
from gatewright.core.statistics.row_sample import RowSample
from gatewright.services.batches import Batch, DataFile

__all__ = ["file_kinds", "file_sums", "mismatch", "profile_file", "read_profile"]


def file_kinds(file: DataFile, columns: Sequence[str], categorical: Sequence[str]) -> dict[str, Kind | None]:
    """How each column is compared; None for a type that cannot be."""
    kinds = {name: arrow_kind(file.schema.field(name).type) for name in columns}
    return {name: "categorical" if name in categorical else kind for name, kind in kinds.items()}


def profile_file(
    file: DataFile, kinds: Mapping[str, Kind], *, calendar: Calendar | None = None, time_column: str | None = None
) -> Profile:
    """The profile of a file's columns, with one for each part of the calendar when a time column is named.

    Memory does not grow with the rows. Raises DataError for bytes that are not what they claim.
    """
    columns = [*kinds, *([time_column] if time_column else [])]
    sample: RowSample | None = None
    for batch in file.batches(columns):
        level = 0 if sample is None else sample.level
        more = sample_rows(batch.rows, kinds, start=batch.start, level=level)
        sample = more if sample is None else sample + more
    if sample is None:
        raise DataError("there are no rows.", where=str(file.path), remedy="deliver data to compare with.")
    blank = blank_profile(sample, kinds, calendar=calendar, time_column=time_column)
    total, parts = no_sums(blank), dict[str, ProfileSums]()
    for batch in file.batches(columns):
        times = _times(batch, time_column)
        total += current_sums(batch.rows, blank, times=times)
        for part, sums in part_sums(batch.rows, blank, times).items():
            parts[part] = parts[part] + sums if part in parts else sums
    return filled_profile(blank, total, parts)


def file_sums(file: DataFile, profile: Profile) -> ProfileSums:
    """The sums of a file on the edges of ``profile``, whose features it must have."""
    has_time = profile.time_column is not None and profile.time_column in file.schema.names
    time_column = profile.time_column if has_time else None
    total = no_sums(profile)
    for batch in file.batches([*profile.features, *([time_column] if time_column else [])]):
        total += current_sums(batch.rows, profile, times=_times(batch, time_column))
    return total


def mismatch(feature: FeatureProfile, file: DataFile, name: str) -> str | None:
    """Why a file's column cannot be compared with a profile; None when it can."""
    if name not in file.schema.names:
        return "the column is missing from the current data"
    type = file.schema.field(name).type
    kind = arrow_kind(type)
    if str(type) == "null":
        return None
    if not isinstance(feature, NumericProfile):
        nested = kind is None
        return f"the reference holds categories, the current data hold {type}" if nested else None
    wanted = {"date"} if feature.unit == "date" else {"numeric", "boolean"}
    return None if kind in wanted else f"the reference holds {feature.unit}s, the current data hold {type}"


def read_profile(path: Path) -> Profile:
    """A stored profile. Raises DataError for anything else."""
    try:
        return Profile.from_bytes(path.read_bytes(), where=str(path))
    except (OSError, IntegrityError) as error:
        problem = error.problem if isinstance(error, IntegrityError) else f"cannot be read: {error}."
        raise DataError(problem, where=str(path), remedy="name a profile written by `--save-profile`.") from error


def _times(batch: Batch, time_column: str | None) -> np.ndarray[tuple[int], np.dtype[np.datetime64]] | None:
    if time_column is None:
        return None
    column = batch.rows.column(time_column)
    if arrow_kind(column.type) != "date":
        problem = f"the time column `{time_column}` holds {column.type}, not dates."
        raise DataError(problem, where=time_column, remedy="name a column of dates or timestamps.")
    times: np.ndarray[tuple[int], np.dtype[np.datetime64]] = column.to_numpy(zero_copy_only=False)
    return times.astype("datetime64[D]")
