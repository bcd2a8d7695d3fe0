"""Rows as clients send them, checked cell by cell before a model sees them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

__all__ = ["MAX_PROBLEMS", "MAX_TEXT", "CellProblem", "InvalidRowsError", "frame_of", "warm_up_row"]

# A reply that names some mistakes is enough to correct all.
MAX_PROBLEMS = 20
MAX_TEXT = 200


@dataclass(frozen=True)
class CellProblem:
    """What is wrong in one cell; ``row`` counts from 0, ``column`` is None when the whole row is meant."""

    row: int | None
    column: str | None
    problem: str


class InvalidRowsError(Exception):
    """The client must correct the rows; ``problems`` holds the first ones."""

    def __init__(self, problems: Sequence[CellProblem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)


def frame_of(rows: Sequence[Mapping[str, Any]], features: Sequence[str], categorical: Sequence[str]) -> pd.DataFrame:
    """A frame of shape (len(rows), len(features)): text for categories, float64 for numbers, NaN for null.

    A row must have every feature, null where unknown; what it has besides is ignored, so that a client can
    send the same row to every model. Raises InvalidRowsError.
    """
    problems: list[CellProblem] = []
    for problem in _problems(rows, features, set(categorical)):
        problems.append(problem)
        if len(problems) == MAX_PROBLEMS:
            break
    if problems:
        raise InvalidRowsError(problems)
    columns = {name: _column([row[name] for row in rows], name in categorical) for name in features}
    return pd.DataFrame(columns)


def _problems(
    rows: Sequence[Mapping[str, Any]], features: Sequence[str], categorical: set[str]
) -> Iterator[CellProblem]:
    for number, row in enumerate(rows):
        for name in features:
            if name not in row:
                yield CellProblem(number, name, "the feature is missing")
                continue
            problem = _text_problem(row[name]) if name in categorical else _number_problem(row[name])
            if problem:
                yield CellProblem(number, name, problem)


def _text_problem(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return f"a category must be text or null, not {_json_name(value)}"
    if len(value) > MAX_TEXT:
        return f"a category has at most {MAX_TEXT} characters"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "the text is not valid Unicode"
    return None


def _number_problem(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number or null, not {_json_name(value)}"
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    return None if finite else "must be a finite number"


def _json_name(value: Any) -> str:
    names = {type(None): "null", bool: "true or false", str: "text", int: "a number", float: "a number"}
    return names.get(type(value), "an object" if isinstance(value, dict) else "a list")


def _column(values: list[Any], is_category: bool) -> "pd.Series[Any]":
    return pd.Series(values, dtype="str" if is_category else "float64")


def warm_up_row(model: Any, features: Sequence[str], categorical: Sequence[str]) -> pd.DataFrame:
    """One row that ``model`` can score: zeros, and for a category one that its encoder has learned."""
    known = dict(_learned_categories(model))
    row = {name: known.get(name, "") if name in categorical else 0.0 for name in features}
    return frame_of([row], features, categorical)


def _learned_categories(estimator: Any, columns: Sequence[str] | None = None) -> Iterator[tuple[str, str]]:
    """A category of each column, from the encoders inside scikit-learn's pipelines and column transformers."""
    columns = getattr(estimator, "feature_names_in_", columns)
    if hasattr(estimator, "categories_") and columns is not None:
        pairs = zip(columns, estimator.categories_, strict=False)
        yield from ((str(column), learned[0]) for column, learned in pairs if _is_text(learned))
    for _, step in getattr(estimator, "steps", ()):
        yield from _learned_categories(step, columns)
    for _, step, chosen in getattr(estimator, "transformers_", ()):
        yield from _learned_categories(step, None if isinstance(chosen, slice) else chosen)


def _is_text(learned: Any) -> bool:
    return len(learned) > 0 and isinstance(learned[0], str)
