"""Which accumulator answers which metric. A metric without one is computed by Great Expectations."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatewright.services.onepass.accumulator import Accumulator
from gatewright.services.onepass.additive import Additive, RowCount
from gatewright.services.onepass.conditions import Condition, RowCondition
from gatewright.services.onepass.deviations import DeviationCondition
from gatewright.services.onepass.distinct import DISTINCT_METRICS, Distinct
from gatewright.services.onepass.extremes import Extremes
from gatewright.services.onepass.functions import domain_columns
from gatewright.services.onepass.kinds import Column, Kind
from gatewright.services.onepass.moments import OF_SERIES, Moments
from gatewright.services.onepass.nulls import NonNullCount, NullCondition
from gatewright.services.onepass.order import OrderCondition
from gatewright.services.onepass.quantiles import Quantiles
from gatewright.services.onepass.row_conditions import columns_of_row_condition
from gatewright.services.onepass.uniqueness import UniqueCondition

__all__ = ["Plan", "Planned"]

ROW_CONDITIONS = (
    "column_values.between",
    "column_values.dateutil_parseable",
    "column_values.in_set",
    "column_values.in_type_list",
    "column_values.json_parseable",
    "column_values.match_json_schema",
    "column_values.match_regex",
    "column_values.match_regex_list",
    "column_values.match_strftime_format",
    "column_values.not_in_set",
    "column_values.not_match_regex",
    "column_values.not_match_regex_list",
    "column_values.of_type",
    "column_values.value_length.between",
    "column_values.value_length.equals",
    "column_pair_values.a_greater_than_b",
    "column_pair_values.equal",
    "column_pair_values.in_set",
    "multicolumn_sum.equal",
    "multicolumn_values.equal",
    "select_column_values.unique.within_record",
)
ORDER_CONDITIONS = ("column_values.increasing", "column_values.decreasing")
DEVIATION_CONDITIONS = ("column_values.z_score.under_threshold", "column_values.not_outliers")
NULL_CONDITIONS = ("column_values.nonnull", "column_values.null")
UNIQUE_CONDITIONS = ("column_values.unique", "compound_columns.unique")
QUANTILE_METRICS = ("column.quantile_values", "column.median")
ANSWERS = (
    "unexpected_count",
    "filtered_row_count",
    "unexpected_values",
    "unexpected_index_list",
    "unexpected_index_query",
)


@dataclass(frozen=True)
class Planned:
    """An accumulator with the rows it sees: those that the row condition in ``domain`` keeps, of ``reads``."""

    accumulator: Accumulator
    reads: tuple[str, ...]
    domain: Mapping[str, Any]


@dataclass
class Plan:
    """Accumulators by what they share, and metrics by their id."""

    columns: Mapping[str, Column]
    single: bool
    answer: Callable[[Any], Any]
    planned: dict[Any, Planned] = field(default_factory=dict)
    of_metric: dict[Any, Any] = field(default_factory=dict)
    behind_map: dict[Any, list[Any]] = field(default_factory=dict)

    def add(self, metrics: Iterable[Any]) -> None:
        """Find an accumulator for each of ``metrics``, of which none may be missing that another builds on."""
        every = {metric.id: metric for metric in metrics}
        builds_on = _builds_on(every.values())
        for metric in every.values():
            if metric.metric_name.endswith(".condition"):
                self._add_condition(metric, builds_on[metric.id])
            elif metric.metric_name.endswith(".map"):
                self.behind_map[metric.id] = builds_on[metric.id]
            else:
                self._add_aggregate(metric, every.values())

    def _add_condition(self, condition: Any, asked: list[Any]) -> None:
        if not asked or not all(_answerable(metric) for metric in asked):
            return
        limit = max(_limit(metric) for metric in asked)
        name = condition.metric_name.removesuffix(".condition")
        make = self._condition(name, condition, limit)
        if make is None or not self._add(condition, ("condition", condition.id), make):
            return
        for metric in asked:
            self.of_metric[metric.id] = self.of_metric[condition.id]

    def _condition(self, name: str, metric: Any, limit: int) -> Callable[[tuple[str, ...]], Condition] | None:
        def of(kind: type[Condition], **more: Any) -> Callable[[tuple[str, ...]], Condition]:
            return lambda names: kind(metric, names, self.columns, limit, **more)

        if name in ROW_CONDITIONS:
            return of(RowCondition)
        if name in NULL_CONDITIONS:
            return of(NullCondition)
        if name in ORDER_CONDITIONS:
            return of(OrderCondition)
        if name in UNIQUE_CONDITIONS:
            return of(UniqueCondition)
        if name in DEVIATION_CONDITIONS:
            return of(DeviationCondition, answer=self.answer)
        return None

    def _add_aggregate(self, metric: Any, metrics: Iterable[Any]) -> None:
        name, domain, columns = metric.metric_name, metric.metric_domain_kwargs, self.columns
        exact = _kind(metric, columns) is Kind.NUMBER and _dtype(metric, columns) in ("int64", "float64")
        shared = metric.id.metric_domain_kwargs_id
        if name in ("column.min", "column.max"):
            self._add(metric, ("extremes", shared), lambda names: Extremes(names, columns))
        elif name in OF_SERIES and exact:
            self._add(metric, ("moments", shared), lambda names: Moments(names, columns, single=self.single))
        elif _is_quantile(metric) and exact:
            same = [one for one in metrics if _is_quantile(one) and one.id.metric_domain_kwargs_id == shared]
            self._add(metric, ("quantiles", shared), lambda names: Quantiles(names, columns, metrics=same))
        elif name in DISTINCT_METRICS and (exact or _kind(metric, columns) is Kind.ENCODED):
            self._add(metric, ("distinct", shared), lambda names: Distinct(names, columns))
        elif name == "column.non_null_count":
            self._add(metric, ("present", shared), lambda names: NonNullCount(names, columns))
        elif name in ("column.histogram", "column_values.between.count") and _has_bins(metric):
            self._add(metric, metric.id, lambda names: Additive(names, columns, metric=metric))
        elif name == "table.row_count" and domain.get("row_condition"):
            self._add(metric, metric.id, lambda names: RowCount(names, columns))

    def _add(self, metric: Any, key: Any, make: Callable[[tuple[str, ...]], Accumulator]) -> bool:
        domain = metric.metric_domain_kwargs
        if domain.get("table"):
            return False
        names, chosen_by = domain_columns(domain), columns_of_row_condition(domain)
        if chosen_by is None or not all(self._readable(name) for name in (*names, *chosen_by)):
            return False
        if key not in self.planned:
            self.planned[key] = Planned(make(names), tuple(dict.fromkeys([*names, *chosen_by])), domain)
        self.of_metric[metric.id] = key
        return True

    def _readable(self, name: Any) -> bool:
        return name in self.columns and self.columns[name].kind is not Kind.OPAQUE


def _builds_on(metrics: Iterable[Any]) -> defaultdict[Any, list[Any]]:
    """By the id of each metric those that build on it."""
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    for metric in metrics:
        for one in {one.id for one in metric.metric_dependencies.values()}:
            found[one].append(metric)
    return found


def _answerable(metric: Any) -> bool:
    """Whether a metric lists no more unexpected rows than a sample holds, and shows nothing but their own columns."""
    result_format = metric.metric_value_kwargs.get("result_format") or {}
    if metric.metric_name.rpartition(".")[2] not in ANSWERS:
        return False
    if metric.metric_name.endswith("_query"):
        return (
            not result_format.get("return_unexpected_index_query") and result_format.get("result_format") != "COMPLETE"
        )
    return result_format.get("result_format") != "COMPLETE" and not result_format.get("unexpected_index_column_names")


def _limit(metric: Any) -> int:
    return int((metric.metric_value_kwargs.get("result_format") or {}).get("partial_unexpected_count", 0))


def _column(metric: Any, columns: Mapping[str, Column]) -> Column | None:
    return columns.get(metric.metric_domain_kwargs.get("column"))


def _kind(metric: Any, columns: Mapping[str, Column]) -> Kind | None:
    column = _column(metric, columns)
    return None if column is None else column.kind


def _dtype(metric: Any, columns: Mapping[str, Column]) -> Any:
    column = _column(metric, columns)
    return None if column is None else column.dtype


def _is_quantile(metric: Any) -> bool:
    if metric.metric_name == "column.outlier_statistics":
        return bool(metric.metric_value_kwargs.get("method") == "iqr")
    return metric.metric_name in QUANTILE_METRICS


def _has_bins(metric: Any) -> bool:
    return metric.metric_name != "column.histogram" or not isinstance(metric.metric_value_kwargs.get("bins"), int | str)
