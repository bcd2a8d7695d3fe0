"""Every metric that the expectations of a suite will ask for, before Great Expectations asks for the first."""

from collections.abc import Iterable, Mapping
from typing import Any

from great_expectations.validator.validation_graph import ValidationGraph

__all__ = ["SuiteMetrics"]


class SuiteMetrics:
    """GX MetricConfigurations with those that they build on.

    Great Expectations' graph walks to a metric once for each way that leads there; here each is visited once.
    """

    def __init__(self, engine: Any, runtime: Mapping[str, Any]) -> None:
        self._engine = engine
        self._runtime = dict(runtime)
        self._graph = ValidationGraph(execution_engine=engine)
        self._found: dict[Any, Any] = {}

    @property
    def found(self) -> list[Any]:
        """Each metric once."""
        return list(self._found.values())

    def add(self, metrics: Iterable[Any]) -> None:
        """Find what ``metrics`` build on. Raises whatever Great Expectations raises on a metric without sense."""
        for metric in metrics:
            self._visit(metric)

    def _visit(self, metric: Any) -> Any:
        if metric.id in self._found:
            return self._found[metric.id]
        provider, _ = self._graph.set_metric_configuration_default_kwargs_if_absent(metric_configuration=metric)
        needed = provider.get_evaluation_dependencies(
            metric=metric, execution_engine=self._engine, runtime_configuration=self._runtime
        )
        metric.metric_dependencies = {name: self._visit(one) for name, one in needed.items() if one.id != metric.id}
        self._found[metric.id] = metric
        return metric
