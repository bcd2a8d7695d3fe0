"""A suite over a Parquet table, through Great Expectations' own ValidationDefinition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

from great_expectations import ValidationDefinition
from great_expectations.datasource.fluent import PandasDatasource

from gatewright.services.onepass.engine import OnePassEngine
from gatewright.services.onepass.table import ParquetTable
from gatewright.services.onepass.validator import OnePassValidator

__all__ = ["OnePassRun", "ParquetStream", "StorableValidation", "run_onepass"]


@dataclass(frozen=True)
class OnePassRun:
    """Great Expectations' own result over ``table``.

    ``outside``: metrics that Great Expectations computed itself, on columns loaded for them. ``read_again``:
    columns that were read more than once, for quantiles and deviations of large tables.
    """

    table: ParquetTable
    outcome: Any
    outside: tuple[str, ...]
    read_again: tuple[str, ...]


class ParquetStream(PandasDatasource):  # type: ignore[misc]
    """A pandas data source whose tables are streamed."""

    type: Literal["parquet_stream"] = "parquet_stream"
    execution_engine_override: ClassVar[Any] = OnePassEngine


class StorableValidation(ValidationDefinition):  # type: ignore[misc]
    """Great Expectations calls a quantile expectation successful with numpy's bool, which its store cannot write."""

    @property
    def _validation_results_store(self) -> Any:
        return _PlainBooleans(super()._validation_results_store)


class _PlainBooleans:
    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def store_validation_results(self, suite_validation_result: Any, **identifiers: Any) -> Any:
        suite_validation_result.success = bool(suite_validation_result.success)
        for one in suite_validation_result.results:
            one.success = bool(one.success)
        return self._store.store_validation_results(suite_validation_result=suite_validation_result, **identifiers)


def run_onepass(
    context: Any, table: ParquetTable, suite: Any, parameters: Mapping[str, Any], result_format: Any = "SUMMARY"
) -> OnePassRun:
    """Validate ``table`` with ``suite``; both are added to ``context``, which serves nothing else.

    Raises DataError as it meets bad bytes.
    """
    source = context.data_sources.add_parquet_stream("files")
    batches = source.add_parquet_asset("table", path=str(table.paths[0])).add_batch_definition("all")
    engine: OnePassEngine = source.get_execution_engine()
    engine.bind(table, result_format)
    # Where a data context makes its validator.
    context.get_validator_using_batch_list = partial(_validator, context, engine)
    validation = context.validation_definitions.add(
        StorableValidation(name="files", data=batches, suite=context.suites.add(suite))
    )
    outcome = validation.run(expectation_parameters=dict(parameters), result_format=result_format)
    if engine.fault is not None:
        raise engine.fault
    return OnePassRun(table, outcome, tuple(sorted(engine.outside)), tuple(sorted(engine.read_again)))


def _validator(
    context: Any, engine: OnePassEngine, expectation_suite: Any, batch_list: Sequence[Any], **_: Any
) -> OnePassValidator:
    return OnePassValidator(
        execution_engine=engine, expectation_suite=expectation_suite, data_context=context, batches=batch_list
    )
