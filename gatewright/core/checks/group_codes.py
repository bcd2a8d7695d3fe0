"""Columns of groups as codes and names, whatever holds them: numpy, pandas, Arrow, or codes with their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gatewright.core.errors import DataError
from gatewright.core.frames import MISSING, class_name
from gatewright.core.statistics.blocks import IntArray

__all__ = ["GroupCodes", "group_codes", "joined"]

AND = " & "


@dataclass(frozen=True)
class GroupCodes:
    """``codes``: index into ``names`` of each row, shape (rows,). ``names``: sorted, different, all with rows."""

    codes: IntArray
    names: tuple[str, ...]


def group_codes(values: Any, rows: int, *, where: str) -> GroupCodes:
    """The group of each row by its text; rows without a value are in the group ``(missing)``.

    ``values``: an array, a pandas or Arrow column, or a tuple of codes and names, of ``rows`` rows. Values with
    the same text (1 and "1") are one group. Raises DataError for another number of rows, a code without name,
    lists, structures, and bytes that are no text.
    """
    try:
        codes, raw = _encoded(values)
    except (pa.ArrowException, TypeError):
        kind = getattr(values, "type", "lists or structures")
        problem = f"{kind} cannot be read as text." if _binary(kind) else f"{kind} are no groups."
        raise DataError(problem, where=where, remedy="deliver text in UTF-8, numbers, booleans or dates.") from None
    if codes.shape != (rows,):
        raise DataError(f"{codes.shape} values for {rows} rows.", where=where, remedy="give one value per row.")
    if rows and not (codes.min() >= -1 and codes.max() < len(raw)):
        raise DataError("a code has no name.", where=where, remedy="give codes from 0 to the number of names.")
    # The last place is that of -1: no value.
    texts = [*(_text(value) for value in raw), MISSING]
    present = np.bincount(codes + 1, minlength=len(texts)) > 0
    present = np.append(present[1:], present[0])
    names = sorted({text for text, here in zip(texts, present, strict=True) if here})
    place = {name: k for k, name in enumerate(names)}
    return GroupCodes(np.array([place.get(text, -1) for text in texts], dtype=np.int64)[codes], tuple(names))


def joined(parts: Sequence[str]) -> str:
    """Parts joined by `` & ``. One that could be taken for two is quoted, so that different parts differ joined."""
    return AND.join(f'"{part.replace(chr(34), 2 * chr(34))}"' if _ambiguous(part) else part for part in parts)


def _ambiguous(part: str) -> bool:
    return AND in f" {part} " or part.startswith('"')


def _encoded(values: Any) -> tuple[IntArray, list[Any]]:
    if isinstance(values, tuple) and len(values) == 2:
        return np.asarray(values[0], dtype=np.int64), list(values[1])
    if isinstance(values, pa.ChunkedArray):
        encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        values = encoded.unify_dictionaries().combine_chunks()
    if isinstance(values, pa.Array):
        values = values.cast(pa.large_binary()).cast(pa.large_string()) if _binary(values.type) else values
        encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return codes, encoded.dictionary.to_pylist()
    if not isinstance(values, pd.Series | pd.Categorical | pd.Index):
        # Of a list of text and NaN numpy would make text alone.
        values = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
        values = values.astype(object) if values.dtype.kind in "US" else values
    if values.ndim != 1:
        return np.zeros(values.shape, dtype=np.int64), []
    codes, raw = pd.factorize(values)
    return codes.astype(np.int64), list(raw)


def _binary(kind: Any) -> bool:
    return isinstance(kind, pa.DataType) and bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )


def _text(value: Any) -> str:
    return MISSING if value is None or value is pd.NA or value != value else class_name(value)
