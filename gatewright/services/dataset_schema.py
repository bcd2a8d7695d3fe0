"""Does a file have the columns and types a spec asks for? Judged on its Arrow schema, before any value is used."""

import difflib
from collections.abc import Mapping
from typing import Literal

import pyarrow as pa

from gatewright.core.errors import DataError
from gatewright.core.spec import ModelSpec

__all__ = ["Kind", "Kinds", "check_schema"]

Kind = Literal["number", "text", "time", "other"]
# Column -> its kind and the file that said so first.
Kinds = Mapping[str, tuple[Kind, str]]


def check_schema(schema: pa.Schema, spec: ModelSpec, known: Kinds, *, where: str) -> Kinds:
    """Check the columns of one file against ``spec`` and against ``known``, the kinds of the files before it.

    Returns the kinds known now. Raises DataError, which names file, column, expected and found type, and the
    nearest column for one that is missing.
    """
    kinds = dict(known)
    expected = _expected(spec)
    for name in spec.columns():
        found = schema.field(_position(schema, name, where)).type
        kind = _kind(found)
        if name in expected and kind not in expected[name]:
            raise _wrong_type(name, " or ".join(expected[name]), str(found), where)
        before, first = kinds.setdefault(name, (kind, where))
        if kind != before:
            raise _wrong_type(name, f"{before}, as in {first}", str(found), where)
    return kinds


def _expected(spec: ModelSpec) -> dict[str, tuple[Kind, ...]]:
    expected: dict[str, tuple[Kind, ...]] = dict.fromkeys(spec.features, ("number",))
    # A category, and a class, may come as a code.
    expected |= dict.fromkeys(spec.categorical, ("text", "number"))
    expected |= {feature.column: ("number",) for feature in spec.sensitive if feature.bands}
    expected[spec.target.column] = ("text",) if isinstance(spec.target.positive, str) else ("number",)
    if spec.task == "multiclass_classification":
        expected[spec.target.column] = ("text", "number")
    return expected


def _position(schema: pa.Schema, name: str, where: str) -> int:
    positions = schema.get_all_field_indices(name)
    if len(positions) == 1:
        return int(positions[0])
    if positions:
        raise DataError(f"the column `{name}` is there {len(positions)} times.", where=where, remedy="deliver it once.")
    names = {present.lower(): present for present in schema.names}
    nearest = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    hint = f"is it `{names[nearest[0]]}`?" if nearest else f"the file has: {', '.join(schema.names)}."
    raise DataError(
        f"the column `{name}` is missing.",
        where=where,
        remedy=f"deliver it under the name of the spec; {hint}",
    )


def _kind(found: pa.DataType) -> Kind:
    if pa.types.is_dictionary(found):
        return _kind(found.value_type)
    if pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found):
        return "text"
    if pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_boolean(found):
        return "number"
    if pa.types.is_temporal(found):
        return "time"
    return "other"


def _wrong_type(name: str, expected: str, found: str, where: str) -> DataError:
    return DataError(
        f"the column `{name}` has the type {found}, expected {expected}.",
        where=f"{where}, column {name}",
        remedy="convert the column at the source; do not let readers guess.",
    )
