"""Great Expectations' validator, which asks each expectation once what it needs, and the pass once for all of it."""

import copy
from dataclasses import dataclass
from typing import Any

from great_expectations.validator.validator import Validator

from gatewright.core.errors import GatewrightError
from gatewright.services.onepass.configurations import configurations_once
from gatewright.services.onepass.suite_metrics import SuiteMetrics

__all__ = ["OnePassValidator"]


class OnePassValidator(Validator):  # type: ignore[misc]
    """Leaves to Great Expectations' graph of metrics whatever raises or the pass cannot answer.

    That graph derives the needs of each expectation twice, walks to a metric once for each way that leads there,
    and looks through all metrics again for each one that raises.
    """

    def graph_validate(self, configurations: list[Any], runtime_configuration: dict[str, Any] | None = None) -> Any:
        """Results of ``configurations``, GX ExpectationConfigurations, in the order that stock results have."""
        runtime = runtime_configuration or {}
        metrics = SuiteMetrics(self.execution_engine, runtime)
        with configurations_once():
            asked = [self._ask(configuration, metrics, runtime) for configuration in configurations]
        self.execution_engine.plan(metrics.found)
        results: list[Any] = []
        for configuration, one in zip(configurations, asked, strict=True):
            answered = one and self._result(one, runtime)
            results += [answered] if answered else super().graph_validate([configuration], runtime_configuration)
        # Expectations of which a metric raised come first.
        return sorted(results, key=lambda one: "raised_exception" in one.exception_info)

    def _ask(self, configuration: Any, metrics: SuiteMetrics, runtime: dict[str, Any]) -> "_Asked | None":
        stated = copy.deepcopy(configuration)
        if self.active_batch_id:
            stated.kwargs["batch_id"] = self.active_batch_id
        try:
            expectation = stated.to_domain_obj()
            needed = expectation.get_validation_dependencies(
                execution_engine=self.execution_engine, runtime_configuration=runtime
            )
            metrics.add(needed.get_metric_configurations())
        except Exception:  # noqa: BLE001 - Great Expectations meets it again and reports it
            return None
        return _Asked(expectation, needed)

    def _result(self, asked: "_Asked", runtime: dict[str, Any]) -> Any:
        try:
            values = {one.id: self.execution_engine.answer(one) for one in asked.needed.get_metric_configurations()}
            return type(asked.expectation).metrics_validate(
                asked,
                metrics=values,
                runtime_configuration=copy.deepcopy(runtime),
                execution_engine=self.execution_engine,
            )
        except GatewrightError:
            raise
        except Exception:  # noqa: BLE001 - as above; NotInThePassError is one of them
            return None


@dataclass(frozen=True)
class _Asked:
    """``expectation``, which does not derive again the metrics that it said it needs."""

    expectation: Any
    needed: Any

    def get_validation_dependencies(self, **_: Any) -> Any:
        return self.needed

    def __getattr__(self, name: str) -> Any:
        return getattr(self.expectation, name)
