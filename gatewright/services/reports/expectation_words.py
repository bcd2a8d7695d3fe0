"""One expectation's masked result in words: what was expected, what was found, and by how much it failed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gatewright.services.reports.wording import number

__all__ = ["Entry", "columns_of", "examples", "expected", "found", "stated", "unexpected_share"]

EXAMPLES = 5
LONGEST = 100
_COLUMNS = ("column", "column_A", "column_B", "column_list", "column_set")
# What follows says it.
_ENDINGS = {
    " to be between": "",
    " to be in set": "",
    " to not be in set": " not",
    " to be in type list": "",
    " to not be null": " never missing",
    " to be null": " always missing",
    " to be": "",
    " to match": " match",
}
Entry = Mapping[str, Any]


def stated(entry: Entry) -> str:
    """The whole expectation: ``mean at least 50``, ``values never missing``."""
    words = str(entry["expectation_config"]["type"]).removeprefix("expect_").replace("_", " ")
    for ending, short in _ENDINGS.items():
        words = words.replace(ending, short)
    return " ".join(f"{words.removeprefix('column ')} {expected(entry)}".split())


def columns_of(entry: Entry) -> str:
    """The columns it speaks of, or ``table``."""
    arguments = entry["expectation_config"]["kwargs"]
    names = [arguments[key] for key in ("column", "column_A", "column_B") if key in arguments]
    return ", ".join(map(str, names or arguments.get("column_list", []))) or "table"


def expected(entry: Entry) -> str:
    """The arguments as a person would say them; no column, which stands elsewhere."""
    said = {key: value for key, value in entry["expectation_config"]["kwargs"].items() if value is not None}
    low, high, mostly = said.pop("min_value", None), said.pop("max_value", None), said.pop("mostly", None)
    parts = [_range(low, high)] if low is not None or high is not None else []
    parts += [_listed(said.pop(key)) for key in ("value_set", "type_list") if key in said]
    rest = {key: value for key, value in said.items() if key not in _COLUMNS or key == "column_set"}
    parts += [_argument(key, value) for key, value in rest.items()]
    if mostly is not None and mostly != 1:
        parts.append(f"for {100 * mostly:g} % of the rows or more")
    return _short(", ".join(parts))


def found(entry: Entry) -> str:
    """What was observed: the rows that do not hold, the value of the column, or what it raised."""
    if entry["exception_info"]["raised_exception"]:
        return _short(str(entry["exception_info"]["exception_message"]).removeprefix("Error: "))
    result, count = entry["result"], entry["result"].get("unexpected_count")
    if count is not None:
        rows = result.get("element_count")
        share = unexpected_share(entry)
        of = f"{count:,} of {rows:,} rows" if rows else f"{count:,} rows"
        return of if share is None or not count else f"{of} ({100 * share:.3g} %)"
    observed = result.get("observed_value")
    return "" if observed is None else _short(_value(observed)) + _missed(entry, observed)


def unexpected_share(entry: Entry) -> float | None:
    """From 0 to 1 of the rows that are not missing; None where rows are not counted."""
    percent = entry["result"].get("unexpected_percent")
    return None if percent is None else float(percent) / 100


def examples(entry: Entry) -> tuple[str, ...]:
    """At most five different values that did not hold, the most frequent first; ``***`` of a masked column."""
    counted = entry["result"].get("partial_unexpected_counts")
    values = [one.get("value") for one in counted if isinstance(one, Mapping)] if isinstance(counted, list) else []
    values = values or list(entry["result"].get("partial_unexpected_list") or [])
    return tuple(dict.fromkeys(_short(_value(value)) for value in values if value is not None))[:EXAMPLES]


def _missed(entry: Entry, observed: Any) -> str:
    said = entry["expectation_config"]["kwargs"]
    if isinstance(observed, bool) or not isinstance(observed, int | float):
        return ""
    low, high = said.get("min_value"), said.get("max_value")
    if isinstance(low, int | float) and observed < low:
        return f", {number(low - observed)} too low"
    if isinstance(high, int | float) and observed > high:
        return f", {number(observed - high)} too high"
    return ""


def _range(low: Any, high: Any) -> str:
    if high is None:
        return f"at least {_value(low)}"
    return f"at most {_value(high)}" if low is None else f"{_value(low)} to {_value(high)}"


def _listed(values: Any) -> str:
    shown = values if isinstance(values, Sequence) and not isinstance(values, str) else [values]
    return "one of " + ", ".join(_value(value) for value in shown)


def _argument(key: str, value: Any) -> str:
    if key == "quantile_ranges":
        pairs = zip(value["quantiles"], value["value_ranges"], strict=False)
        return ", ".join(f"{100 * one:g} % {_range(*limits)}" for one, limits in pairs)
    words = key.rstrip("_").replace("_", " ")
    return words if value is True else f"{words} {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "missing"}[value]
    if isinstance(value, int | float):
        return f"{value:,.6g}" if abs(value) >= 10_000 else f"{value:.6g}"
    if isinstance(value, Mapping) and {"quantiles", "values"} <= value.keys():
        return ", ".join(
            f"{100 * q:g} % {_value(v)}" for q, v in zip(value["quantiles"], value["values"], strict=False)
        )
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
