"""What of a validation may be shown: values of masked columns never leave this module."""

import math
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["MASK", "SAMPLE_ROWS", "exception_of", "jsonable", "masked_result", "sample_rows"]

MASK = "***"
SAMPLE_ROWS = 20

# Numbers about how many rows, which show no row's value.
COUNTS = {
    "element_count",
    "missing_count",
    "missing_percent",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_nonmissing",
    "unexpected_percent_total",
}
# Their observed value belongs to the whole column and to no single row.
AGGREGATES = {
    "expect_column_mean_to_be_between",
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_unique_value_count_to_be_between",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_of_type",
}
# Positions grow with the data and say nothing without it; sampled rows take their place.
POSITIONS = {"partial_unexpected_index_list", "unexpected_index_list", "unexpected_index_query"}


def masked_result(entry: Mapping[str, Any], masked: Collection[str]) -> dict[str, Any]:
    """One expectation's result as JSON values, without values of ``masked`` columns and without positions."""
    config = _stated(entry["expectation_config"])
    hide = _shows_values_of(config, masked)
    result = {key: value for key, value in entry["result"].items() if key not in POSITIONS}
    if hide:
        result = {key: _hidden(key, value, config["type"]) for key, value in result.items()}
    message = exception_of(entry)
    return {
        "success": entry["success"],
        "expectation_config": config,
        "result": result,
        "exception_info": {
            "raised_exception": message is not None,
            "exception_message": _public_message(message, hide) or "",
            "exception_traceback": "",
        },
    }


def _stated(config: Mapping[str, Any]) -> dict[str, Any]:
    """The expectation without what Great Expectations names anew, or otherwise, at each run."""
    kwargs = {key: value for key, value in config["kwargs"].items() if key != "batch_id"}
    return {key: value for key, value in config.items() if key != "id"} | {"kwargs": kwargs}


def exception_of(entry: Mapping[str, Any]) -> str | None:
    """What an expectation raised, None when it did not raise. It may quote values of the data.

    Great Expectations gives either one ``exception_info`` or one for each metric.
    """
    info = entry.get("exception_info") or {}
    infos = [info] if "raised_exception" in info else [one for one in info.values() if isinstance(one, dict)]
    messages = [str(one.get("exception_message")) for one in infos if one.get("raised_exception")]
    return messages[0] if messages else None


def sample_rows(frame: pd.DataFrame, masked: Collection[str]) -> tuple[dict[str, Any], ...]:
    """At most 20 rows of ``frame`` as JSON values with ``masked`` columns as ``***``."""
    rows = frame.iloc[:SAMPLE_ROWS].to_dict(orient="records")
    return tuple(
        {str(name): MASK if name in masked else jsonable(value) for name, value in row.items()} for row in rows
    )


def jsonable(value: Any) -> Any:
    """``value`` in JSON's types: numpy scalars unpacked, NaN and infinities as None, all else as text."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(inner) for inner in value]
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return None if value is pd.NA else str(value)


def _shows_values_of(config: Mapping[str, Any], masked: Collection[str]) -> bool:
    if config["type"].startswith("expect_table_"):
        return False
    columns: set[str] = set()
    for key, value in config["kwargs"].items():
        # `column_index` and the counts of columns are numbers.
        if key.startswith("column") and not isinstance(value, int):
            columns |= {value} if isinstance(value, str) else set(value)
    # An expectation that names no column may show any.
    return not columns or not columns.isdisjoint(masked)


def _hidden(key: str, value: Any, kind: str) -> Any:
    if key in COUNTS or value is None or (key == "observed_value" and kind in AGGREGATES):
        return value
    if isinstance(value, list):
        return [MASK] if value and key != "partial_unexpected_counts" else []
    return MASK


def _public_message(message: str | None, hide: bool) -> str | None:
    if message is None or not hide or "does not exist" in message:
        return message
    return f"{MASK} (it may quote values of a masked column)"
