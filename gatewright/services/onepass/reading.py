"""The pass itself: blocks go by, each accumulator takes them into account, and says what it knows."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from gatewright.core.errors import GatewrightError
from gatewright.services.onepass.accumulator import NotInThePassError
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.functions import rows_where
from gatewright.services.onepass.plan import Plan, Planned
from gatewright.services.onepass.row_conditions import columns_of_row_condition
from gatewright.services.onepass.table import ParquetTable

__all__ = ["Reading"]

# What Great Expectations gets for a condition whose counts and rows the pass has: nothing looks at it.
IN_THE_PASS = "answered by the pass"


class Reading:
    """One table, read for a set of metrics: once for all of them, and again only for columns that ask for it."""

    def __init__(self, table: ParquetTable) -> None:
        self._table = table
        self._plan = Plan(table.columns, table.blocks_needed == 1, self.value)
        self._gone: set[Any] = set()
        self._values: dict[Any, Any] = {}
        self.read_again: set[str] = set()

    def run(self, metrics: Iterable[Any]) -> None:
        """Stream the table until no accumulator asks for another reading, then settle what is answered."""
        every = list(metrics)
        self._plan.add(every)
        wanted = list(self._plan.planned)
        while wanted:
            self._stream(wanted)
            wanted = self._wanted_again(late=False) or self._wanted_again(late=True)
            self.read_again |= {name for key in wanted for name in self._plan.planned[key].accumulator.names}
        for metric in every:
            self._settle(metric)

    def value(self, metric: Any) -> Any:
        """The value of a metric. Raises NotInThePassError for one that the pass does not answer."""
        if metric.id in self._plan.behind_map:
            # Nothing but conditions look at it: where all of these are answered, nobody does.
            return [self.value(one) for one in self._plan.behind_map[metric.id]] and IN_THE_PASS
        key = self._plan.of_metric.get(metric.id)
        if key is None or key in self._gone:
            raise NotInThePassError
        if metric.metric_name.endswith(".condition"):
            return IN_THE_PASS
        if metric.id not in self._values:
            found: list[Any] = []
            accumulator = self._plan.planned[key].accumulator
            self._guarded(key, lambda: found.append(accumulator.value(metric)))
            if not found:
                raise NotInThePassError
            self._values[metric.id] = found[0]
        return self._values[metric.id]

    def _settle(self, metric: Any) -> None:
        """Know now whether the accumulator can answer, before a condition is called answered."""
        try:
            self.value(metric)
        except NotInThePassError:
            return

    def _wanted_again(self, *, late: bool) -> list[Any]:
        wanted: list[Any] = []
        for key, planned in self._plan.planned.items():
            if planned.accumulator.late == late and key not in self._gone:
                self._guarded(key, partial(_ask, planned, key, wanted))
        return wanted

    def _stream(self, keys: list[Any]) -> None:
        reads = {name for key in keys for name in self._plan.planned[key].reads}
        names = [name for name in self._table.names if name in reads]
        for block in self._table.blocks(names):
            for key in keys:
                if key not in self._gone:
                    self._guarded(key, partial(_update, self._plan.planned[key], block))

    def _guarded(self, key: Any, action: Callable[[], Any]) -> None:
        try:
            action()
        except GatewrightError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, Great Expectations meets it again and reports it
            self._gone.add(key)


def _ask(planned: Planned, key: Any, wanted: list[Any]) -> None:
    if planned.accumulator.again():
        wanted.append(key)


def _update(planned: Planned, block: Block) -> None:
    domain = planned.domain
    if not domain.get("row_condition"):
        planned.accumulator.update(block)
        return
    key = repr((domain["row_condition"], domain.get("condition_parser")))
    chosen = block.where(key, lambda whole: _rows(domain, whole))
    if len(chosen):
        planned.accumulator.update(chosen)


def _rows(domain: Any, block: Block) -> np.ndarray:
    kept = rows_where(domain, block.frame(columns_of_row_condition(domain) or ()))
    return np.searchsorted(block.positions, kept.to_numpy())
