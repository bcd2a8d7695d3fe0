"""Distinct values and how often each occurs."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gatewright.services.onepass.accumulator import Accumulator, NotInThePassError
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.functions import evaluate

__all__ = ["DISTINCT_METRICS", "Distinct"]

DISTINCT_METRICS = (
    "column.distinct_values",
    "column.distinct_values.count",
    "column.distinct_values.count.under_threshold",
    "column.distinct_values.missing_from_column",
    "column.distinct_values.missing_from_column.count",
    "column.distinct_values.not_in_set",
    "column.distinct_values.not_in_set.count",
    "column.most_common_value",
    "column.value_counts",
)
# Beyond so many distinct values the column itself takes less memory than what is kept here.
LIMIT = 1 << 20


class Distinct(Accumulator):
    """All metrics that follow from the distinct values, computed by Great Expectations on these alone."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._parts: list[pa.Table] = []
        self._size = 0
        self._missing = False

    def update(self, block: Block) -> None:
        """Add the counts of the block; merge when more than the limit has gathered."""
        name = self.names[0]
        missing = block.missing(name)
        self._missing |= missing > 0
        if missing == len(block):
            return
        values, counts = self._counts(block)
        self._parts.append(pa.table({"value": values, "count": counts}))
        self._size += len(values)
        if self._size > LIMIT:
            self._size = len(self._merge())
            if self._size > LIMIT // 2:
                raise NotInThePassError

    def value(self, metric: Any) -> Any:
        """The metric on the distinct values, of which the missing one is one."""
        if not self._parts:
            raise NotInThePassError
        counts = self._merge()
        name = self.names[0]
        known = {"table.columns": list(self.columns)}
        if metric.metric_name == "column.value_counts":
            return self._value_counts(metric, counts, known)
        if metric.metric_name == "column.most_common_value":
            most = counts.filter(pc.equal(counts["count"], pc.max(counts["count"])))
            return evaluate(metric, self._series(most["value"], missing=False).to_frame(name), known)
        return evaluate(metric, self._series(counts["value"], missing=self._missing).to_frame(name), known)

    def _counts(self, block: Block) -> tuple[pa.Array, pa.Array]:
        name = self.names[0]
        encoded = block.encoded(name)
        if encoded is not None:
            # Where values may be missing, the missing one is the first.
            first = int(self.columns[name].nullable)
            present = np.flatnonzero(encoded.counts[first:]) + first
            return encoded.array.take(pa.array(present)), pa.array(encoded.counts[present])
        counted = pc.value_counts(pa.array(block.present(name)))
        return counted.field("values"), counted.field("counts")

    def _merge(self) -> pa.Table:
        """One row for each value, in the order of their first occurrence."""
        if len(self._parts) > 1:
            whole = pa.concat_tables(self._parts, promote_options="permissive").group_by("value", use_threads=False)
            merged = whole.aggregate([("count", "sum")])
            self._parts = [pa.table({"value": merged["value"], "count": merged["count_sum"]})]
        return self._parts[0]

    def _series(self, values: pa.ChunkedArray, *, missing: bool) -> pd.Series:
        chunks = [*values.chunks, pa.nulls(1, values.type)] if missing else values.chunks
        return self.columns[self.names[0]].series(pa.concat_arrays(chunks))

    def _value_counts(self, metric: Any, counts: pa.Table, known: dict[str, Any]) -> pd.Series:
        if (metric.metric_value_kwargs.get("sort") or "value") != "value":
            raise NotInThePassError
        values = self._series(counts["value"], missing=False)
        ones: pd.Series = evaluate(metric, values.to_frame(self.names[0]), known)
        counted: pd.Series = (
            ones * pd.Series(counts["count"].to_numpy(), index=values.to_numpy()).reindex(ones.index).to_numpy()
        )
        return counted
