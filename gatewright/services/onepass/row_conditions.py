"""Which row conditions can be answered row by row, and from which columns."""

import ast
from collections.abc import Mapping
from typing import Any

__all__ = ["columns_of_row_condition"]

# Of what a pandas query may hold, these look at one row at a time.
ROW_LOCAL = (
    ast.Expression,
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.Name,
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.boolop,
    ast.operator,
    ast.unaryop,
    ast.cmpop,
    ast.expr_context,
)


def columns_of_row_condition(domain: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The columns that the row condition of a metric's domain reads; None when it may look beyond a row.

    A column may be named that does not exist: whoever evaluates the condition says so.
    """
    condition = domain.get("row_condition")
    if not condition:
        return ()
    from great_expectations.expectations.row_conditions import (
        Condition,
        PassThroughCondition,
        deserialize_row_condition,
    )

    if isinstance(condition, dict):
        condition = deserialize_row_condition(condition)
    if isinstance(condition, PassThroughCondition):
        condition = condition.pass_through_filter
    if isinstance(condition, str):
        return _names_in_query(condition)
    return tuple(sorted(_names(condition))) if isinstance(condition, Condition) else None


def _names_in_query(query: str) -> tuple[str, ...] | None:
    try:
        nodes = list(ast.walk(ast.parse(query.strip(), mode="eval")))
    except (SyntaxError, ValueError):
        return None
    if not all(isinstance(node, ROW_LOCAL) for node in nodes):
        return None
    return tuple(sorted({node.id for node in nodes if isinstance(node, ast.Name)}))


def _names(condition: Any) -> set[str]:
    inner = getattr(condition, "conditions", None)
    if inner is not None:
        return {name for one in inner for name in _names(one)}
    return {condition.column.name}
