"""Great Expectations' own metric functions, called on a frame of our choice.

What a metric means is never written down a second time: the same function that stock Great Expectations calls
on the whole table is called here on a block, on the distinct values of a block, or on the few rows shown.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.registry import get_metric_provider

__all__ = ["domain_columns", "evaluate", "rows_where"]

# What chooses rows is applied before a frame is handed over.
ROW_CHOICE = ("row_condition", "condition_parser", "batch_id")


def evaluate(metric: Any, frame: pd.DataFrame, known: Mapping[str, Any]) -> Any:
    """The value of ``metric`` on ``frame``, which holds the rows of its domain already.

    ``known`` are metrics by name that are not computed from ``frame``, ``table.columns`` at least. Raises
    whatever the metric raises.
    """
    return _evaluate(metric, PandasExecutionEngine(batch_data_dict={"frame": frame}), known)


def rows_where(domain: Mapping[str, Any], frame: pd.DataFrame) -> pd.Index:
    """Index of the rows of ``frame`` that the row condition in ``domain`` keeps."""
    engine = PandasExecutionEngine(batch_data_dict={"frame": frame})
    kept = {key: domain[key] for key in ("row_condition", "condition_parser") if key in domain}
    rows: pd.DataFrame = engine.get_domain_records({**kept, "column": None})
    return rows.index


def domain_columns(domain: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that a metric is about, none for one about the table."""
    single = [domain[key] for key in ("column", "column_A", "column_B") if domain.get(key) is not None]
    return tuple(dict.fromkeys([*single, *domain.get("column_list", ())]))


def _evaluate(metric: Any, engine: Any, known: Mapping[str, Any]) -> Any:
    needed = {
        name: known[one.metric_name] if one.metric_name in known else _evaluate(one, engine, known)
        for name, one in metric.metric_dependencies.items()
    }
    provider, function = get_metric_provider(metric.metric_name, engine)
    return function(
        cls=provider,
        execution_engine=engine,
        metric_domain_kwargs={k: v for k, v in metric.metric_domain_kwargs.items() if k not in ROW_CHOICE},
        metric_value_kwargs=metric.metric_value_kwargs,
        metrics=needed,
        runtime_configuration=None,
    )
