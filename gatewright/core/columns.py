"""Columns of a file as the checks want them: labels and decisions as 0 and 1, scores as probabilities."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gatewright.core.checks.group_codes import group_codes
from gatewright.core.errors import DataError, GatewrightError, ModelError
from gatewright.core.statistics.blocks import FloatArray

__all__ = ["Column", "binary", "classes", "clusters", "numbers", "probabilities"]


@dataclass(frozen=True)
class Column:
    """One column of one batch: ``where`` names the file, ``start`` is the position of its first row."""

    name: str
    values: pa.Array
    where: str
    start: int = 0

    @property
    def place(self) -> str:
        return f"{self.where}, column {self.name}"

    def refuse(self, wrong: NDArray[np.bool_], problem: str, remedy: str, kind: type[GatewrightError]) -> None:
        """Raises ``kind`` with the number of the first row where ``wrong``; rows count from 1."""
        if wrong.any():
            row = self.start + int(wrong.argmax()) + 1
            value = self.values[int(wrong.argmax())].as_py()
            raise kind(f"{problem}: row {row} holds {value!r}.", where=self.place, remedy=remedy)


def binary(column: Column, *, positive: str | None) -> FloatArray:
    """1.0 where the value is ``positive``, else 0.0; without ``positive`` the values must be 0 and 1 or booleans.

    Raises DataError for a missing value, for text without ``positive``, and for numbers that are neither 0 nor 1.
    """
    _refuse_missing(column)
    if positive is not None:
        return _is(column, positive).astype(np.float64)
    if not _numeric(column.values.type):
        raise DataError(
            f"the values are {column.values.type}, not 0 and 1.",
            where=column.place,
            remedy="say which value counts as positive with --positive VALUE.",
        )
    values = _floats(column)
    remedy = "say which value is positive with --positive VALUE, or choose another --task."
    column.refuse(~np.isin(values, (0.0, 1.0)), "the values must be 0 and 1", remedy, DataError)
    return values


def probabilities(column: Column) -> FloatArray:
    """Scores within [0, 1]. Raises ModelError for a missing value, NaN, text, or a number outside."""
    values = numbers(column)
    remedy = "write the probability of the positive class, of every row."
    column.refuse(~((values >= 0) & (values <= 1)), "a score must be a probability within [0, 1]", remedy, ModelError)
    return values


def numbers(column: Column) -> FloatArray:
    """Finite numbers. Raises ModelError for a missing value, NaN, an infinity, or text."""
    if not _numeric(column.values.type):
        raise ModelError(f"holds {column.values.type}, not numbers.", where=column.place, remedy="write numbers.")
    values = _floats(column)
    column.refuse(~np.isfinite(values), "a number is missing", "write a finite number for every row.", ModelError)
    return values


def classes(column: Column) -> NDArray[np.object_]:
    """The text of each value. Raises DataError for a missing one."""
    _refuse_missing(column)
    found = group_codes(column.values, len(column.values), where=column.place)
    texts: NDArray[np.object_] = np.array(found.names, dtype=object)[found.codes]
    return texts


def clusters(column: Column) -> NDArray[Any]:
    """The id of each row's cluster. Raises DataError for a missing one, and for lists and structures."""
    if pa.types.is_nested(column.values.type):
        raise DataError(
            f"holds {column.values.type}, which is no id.", where=column.place, remedy="give text, numbers or dates."
        )
    _refuse_missing(column)
    ids: NDArray[Any] = column.values.to_numpy(zero_copy_only=False)
    return ids


def _is(column: Column, positive: str) -> NDArray[np.bool_]:
    """Compared as text: ``--positive 1`` means 1, 1.0 and "1" alike."""
    found = group_codes(column.values, len(column.values), where=column.place)
    matches = np.array([name == positive for name in found.names], dtype=bool)
    decided: NDArray[np.bool_] = matches[found.codes]
    return decided


def _numeric(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )


def _floats(column: Column) -> FloatArray:
    values = column.values.cast(pa.int8()) if pa.types.is_boolean(column.values.type) else column.values
    # Not safe: whole numbers beyond 2**53 are rounded, as all numbers are.
    values = values.cast(pa.float64(), safe=False)
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _refuse_missing(column: Column) -> None:
    missing = np.asarray(pc.is_null(column.values, nan_is_null=True).to_numpy(zero_copy_only=False), dtype=bool)
    column.refuse(missing, "a value is missing", "deliver it, or leave these rows out at the source.", DataError)
