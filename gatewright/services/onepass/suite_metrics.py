"""Every metric that the expectations of a suite will ask for, before Great Expectations asks for the first."""

import copy
from collections.abc import Mapping
from typing import Any

from great_expectations.validator.validation_graph import ValidationGraph

__all__ = ["SuiteMetrics"]


class SuiteMetrics:
    """Follows ``Expectation.get_validation_dependencies``, as Great Expectations' validator does.

    The validator walks to a metric once for each way that leads there; here each is visited once.
    """

    def __init__(self, engine: Any, suite: Any, parameters: Mapping[str, Any], result_format: Any) -> None:
        self._engine = engine
        self._suite = suite
        self._parameters = dict(parameters)
        self._runtime = {"result_format": result_format}
        self._graph = ValidationGraph(execution_engine=engine)
        self._found: dict[Any, Any] = {}

    def metrics(self, batch_id: str | None) -> list[Any]:
        """GX MetricConfigurations with their dependencies, each once; of the batch ``batch_id``."""
        for expectation in self._suite.expectations:
            try:
                for metric in self._direct(expectation, batch_id):
                    self._visit(metric)
            except Exception:  # noqa: BLE001 - Great Expectations meets it again and reports it
                continue
        return list(self._found.values())

    def _direct(self, expectation: Any, batch_id: str | None) -> list[Any]:
        configuration = copy.deepcopy(expectation.configuration)
        configuration.process_suite_parameters(
            suite_parameters=self._parameters, interactive_evaluation=True, data_context=None
        )
        configuration.kwargs["batch_id"] = batch_id
        needed = configuration.to_domain_obj().get_validation_dependencies(
            execution_engine=self._engine, runtime_configuration=self._runtime
        )
        return list(needed.metric_configurations.values())

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
