"""What pandas would make of each column of a table, known before the first row is read."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import pandas as pd
import pyarrow as pa

__all__ = ["Column", "Kind", "column_of"]


class Kind(Enum):
    """How a column is looked at: as numbers, as points in time, by its distinct values, or only by pandas."""

    NUMBER = "number"
    TIME = "time"
    ENCODED = "encoded"
    OPAQUE = "opaque"


@dataclass(frozen=True)
class Column:
    """``dtype`` is what pandas gives the whole column; integers become floats as soon as one value is missing."""

    name: str
    kind: Kind
    type: pa.DataType
    dtype: Any
    nullable: bool

    def series(self, array: pa.Array, index: Any = None) -> pd.Series:
        """``array``, a part of the column, as pandas shows it within the whole column."""
        plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        series: pd.Series = plain.to_pandas()
        if series.dtype != self.dtype:
            series = series.astype(self.dtype)
        series.name = self.name
        if index is not None:
            series.index = index
        return series


def column_of(field: pa.Field, dtype: Any, *, nullable: bool) -> Column:
    """The column of ``field``; ``dtype`` is what pandas gives it without missing values."""
    kind = _kind(field.type, dtype)
    if nullable and kind in (Kind.NUMBER, Kind.ENCODED):
        dtype = pa.nulls(1, field.type).to_pandas().dtype
    return Column(field.name, kind, field.type, dtype, nullable)


def _kind(type_: pa.DataType, dtype: Any) -> Kind:
    types = pa.types
    if types.is_string(type_) or types.is_large_string(type_):
        return Kind.ENCODED if dtype == pa.nulls(0, pa.string()).to_pandas().dtype else Kind.OPAQUE
    if types.is_timestamp(type_):
        return Kind.TIME
    if types.is_dictionary(type_) or types.is_float16(type_) or pd.api.types.is_extension_array_dtype(dtype):
        return Kind.OPAQUE
    if types.is_integer(type_) or types.is_floating(type_):
        return Kind.NUMBER
    return Kind.ENCODED if types.is_boolean(type_) or types.is_date32(type_) else Kind.OPAQUE
