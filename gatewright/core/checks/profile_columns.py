"""Columns of a pandas frame or an Arrow batch as drift sees them: numbers with NaN for a null, or category counts."""

from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from gatewright.core.checks.numbers import numbers as series_numbers
from gatewright.core.checks.profile import Unit
from gatewright.core.errors import DataError
from gatewright.core.statistics.blocks import FloatArray

__all__ = ["Kind", "Rows", "arrow_kind", "column_names", "counted", "numbers", "unit_of"]

Rows: TypeAlias = pd.DataFrame | pa.RecordBatch
Kind = Literal["numeric", "boolean", "date", "categorical"]

_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def arrow_kind(type: pa.DataType) -> Kind | None:
    """How a column of this type is compared; None for one that cannot be (lists, structures), or has no type (null)."""
    if pa.types.is_boolean(type):
        return "boolean"
    if pa.types.is_date(type) or pa.types.is_timestamp(type):
        return "date"
    if pa.types.is_integer(type) or pa.types.is_floating(type) or pa.types.is_decimal(type):
        return "numeric"
    if pa.types.is_time(type) or pa.types.is_duration(type):
        return "numeric"
    text = pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type)
    return "categorical" if text or pa.types.is_dictionary(type) else None


def column_names(rows: Rows) -> list[str]:
    """The names of the columns, in order."""
    return list(rows.schema.names) if isinstance(rows, pa.RecordBatch) else [str(name) for name in rows.columns]


def numbers(rows: Rows, name: str) -> FloatArray:
    """A column as floats, shape (rows,): booleans as 0 and 1, dates as days since 1970. Raises DataError for text."""
    if isinstance(rows, pa.RecordBatch):
        return _arrow_numbers(rows.column(name), name)
    column = rows[name]
    if pd.api.types.is_datetime64_any_dtype(column):
        return _arrow_numbers(pa.array(column, from_pandas=True), name)
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        raise _not_numbers(name, column.dtype)
    return series_numbers(column)


def counted(rows: Rows, name: str) -> tuple[dict[str, int], int]:
    """Rows of each category, as text, and the number of nulls."""
    if isinstance(rows, pa.RecordBatch):
        return _arrow_counted(rows.column(name))
    known = rows[name].dropna()
    counts = known.astype(str).value_counts()
    return {str(value): int(count) for value, count in counts.items()}, len(rows) - len(known)


def _arrow_numbers(column: pa.Array, name: str) -> FloatArray:
    kind = arrow_kind(column.type)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if kind == "date":
        return _days(column)
    if kind == "boolean":
        column = column.cast(pa.uint8())
    elif kind != "numeric":
        raise _not_numbers(name, column.type)
    elif pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    elif pa.types.is_time(column.type) or pa.types.is_duration(column.type):
        column = column.cast(pa.int64() if column.type.bit_width == 64 else pa.int32())
    values: FloatArray = column.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return values


def _days(column: pa.Array) -> FloatArray:
    if pa.types.is_date32(column.type):
        ticks, per_day = column.cast(pa.int32()), 1
    else:
        unit = "ms" if pa.types.is_date64(column.type) else column.type.unit
        ticks, per_day = column.cast(pa.int64()), _DAY[unit]
    days: FloatArray = ticks.to_numpy(zero_copy_only=False).astype(np.float64) / per_day
    return days


def _arrow_counted(column: pa.Array) -> tuple[dict[str, int], int]:
    if pa.types.is_null(column.type):
        return {}, len(column)
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()) if not pa.types.is_large_string(column.type) else column
        column = column.dictionary_encode()
    indices = column.indices.drop_null().to_numpy(zero_copy_only=False)
    names = column.dictionary.cast(pa.string()).to_pylist()
    found: dict[str, int] = {}
    for text, count in zip(names, np.bincount(indices, minlength=len(names)).tolist(), strict=True):
        if count and text is not None:
            found[text] = found.get(text, 0) + count
    return found, len(column) - sum(found.values())


def _not_numbers(name: str, type: Any) -> DataError:
    return DataError(
        f"column `{name}` holds {type}, not numbers.",
        where=f"column {name}",
        remedy="list it under `categorical` in the model spec, or correct the data.",
    )


def unit_of(kind: Kind) -> Unit:
    """The unit of a profile of numbers of this kind."""
    return "boolean" if kind == "boolean" else "date" if kind == "date" else "number"
