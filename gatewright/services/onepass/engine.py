"""Great Expectations' pandas execution engine, over a table that is never loaded whole."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from great_expectations.core.batch import BatchMarkers
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.execution_engine.pandas_batch_data import PandasBatchData

from gatewright.core.errors import GatewrightError
from gatewright.services.onepass.accumulator import NotInThePassError
from gatewright.services.onepass.functions import domain_columns
from gatewright.services.onepass.reading import Reading
from gatewright.services.onepass.row_conditions import columns_of_row_condition
from gatewright.services.onepass.table import ParquetTable

__all__ = ["OnePassEngine"]


class OnePassEngine(PandasExecutionEngine):  # type: ignore[misc]
    """Answers the metrics of a suite from one reading; others are computed by Great Expectations as ever.

    For those ``get_domain_records`` loads the columns of the metric's domain, with all rows. ``outside`` names them.
    ``fault`` is what made the data unreadable: Great Expectations swallows it.
    """

    def bind(self, table: ParquetTable, result_format: Any) -> None:
        """Say what will be validated. Without it the engine refuses to work."""
        self._table = table
        self._planned: list[Any] = []
        self._index_columns = _index_columns(result_format)
        self._reading: Reading | None = None
        self._computed: dict[Any, Any] = {}
        self._loaded: dict[str, pd.Series] = {}
        self._loading = False
        self.outside: set[str] = set()
        self.fault: GatewrightError | None = None

    @property
    def read_again(self) -> set[str]:
        """Columns that were read more than once."""
        return set() if self._reading is None else self._reading.read_again

    def get_batch_data_and_markers(self, batch_spec: Any) -> tuple[Any, Any]:
        """A batch that knows its table; no row is read."""
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        return _TableBatch(self, self._table), BatchMarkers({"ge_load_time": moment})

    def plan(self, metrics: list[Any]) -> None:
        """Say what the pass is to answer, with all that ``metrics`` build on, before the first of them is asked for."""
        self._planned = metrics
        self._reading = None

    def answer(self, metric: Any) -> Any:
        """From the schema, or from the pass. Raises NotInThePassError for a metric that neither answers."""
        known = self._from_schema(metric)
        if known is not None:
            return known
        if self._reading is None:
            self._reading = Reading(self._table)
            with self._noting_faults():
                self._reading.run(self._planned)
        return self._reading.value(metric)

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[Any],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Values by metric id, from the schema, the pass, or Great Expectations' own functions, in this order."""
        # Sets come in any order, and evidence should not.
        ordered = sorted(metrics_to_resolve, key=lambda one: str(one.id))
        return {metric.id: self._resolve(metric, metrics or {}, runtime_configuration) for metric in ordered}

    def get_domain_records(self, domain_kwargs: dict[str, Any]) -> pd.DataFrame:
        """The rows of a domain with its columns, loaded for real; a domain about the table has all columns."""
        self._loading = True
        if domain_kwargs.get("table"):
            # Great Expectations says that pandas has one table only.
            raise ValueError("PandasExecutionEngine does not currently support multiple named tables.")
        chosen_by = columns_of_row_condition(domain_kwargs)
        names = {*domain_columns(domain_kwargs), *(chosen_by or ()), *self._index_columns}
        if chosen_by is None or not domain_columns(domain_kwargs):
            names = set(self._table.names)
        frame = self._load([name for name in self._table.names if name in names])
        inner = PandasExecutionEngine(batch_data_dict={"frame": frame})
        rows: pd.DataFrame = inner.get_domain_records({k: v for k, v in domain_kwargs.items() if k != "batch_id"})
        return rows

    def _resolve(self, metric: Any, metrics: dict[Any, Any], runtime: dict[str, Any] | None) -> Any:
        try:
            return self.answer(metric)
        except NotInThePassError:
            return self._compute(metric, metrics, runtime)

    def _from_schema(self, metric: Any) -> Any:
        """What the schema and the footers answer about the whole of this table, and of no other."""
        if any(metric.metric_domain_kwargs.get(key) for key in ("row_condition", "table")):
            return None
        if metric.metric_name == "table.column_types":
            return [{"name": name, "type": column.dtype} for name, column in self._table.columns.items()]
        if metric.metric_name == "table.columns":
            return self._table.names
        return self._table.rows if metric.metric_name == "table.row_count" else None

    def _compute(self, metric: Any, metrics: dict[Any, Any], runtime: dict[str, Any] | None) -> Any:
        if metric.id not in self._computed:
            self._loading = False
            try:
                self._computed |= super().resolve_metrics([metric], metrics, runtime)
            finally:
                if self._loading:
                    self.outside.add(_described(metric))
        return self._computed[metric.id]

    @contextmanager
    def _noting_faults(self) -> Iterator[None]:
        try:
            yield
        except GatewrightError as error:
            # Great Expectations would report it as an expectation that did not hold.
            self.fault = error
            raise

    def _load(self, names: list[str]) -> pd.DataFrame:
        for name in names:
            if name not in self._loaded:
                with self._noting_faults():
                    self._loaded[name] = self._table.frame([name])[name]
        return pd.DataFrame({name: self._loaded[name] for name in names}, index=pd.RangeIndex(self._table.rows))


class _TableBatch(PandasBatchData):  # type: ignore[misc]
    """Whoever asks for the frame gets all of it."""

    def __init__(self, engine: OnePassEngine, table: ParquetTable) -> None:
        super().__init__(execution_engine=engine, dataframe=None)
        self._table = table

    @property
    def dataframe(self) -> pd.DataFrame:
        return self._table.frame(self._table.names)


def _index_columns(result_format: Any) -> list[str]:
    return list(result_format.get("unexpected_index_column_names", [])) if isinstance(result_format, dict) else []


def _described(metric: Any) -> str:
    domain = metric.metric_domain_kwargs
    return f"{metric.metric_name} of {', '.join(domain_columns(domain)) or 'the table'}"
