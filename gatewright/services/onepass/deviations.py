"""Conditions that need the whole column's numbers first: z-scores and outliers."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gatewright.services.onepass.block import Block
from gatewright.services.onepass.comparisons import are_plain, unexpected_of_z_score
from gatewright.services.onepass.conditions import Condition
from gatewright.services.onepass.kinds import Column

__all__ = ["DeviationCondition"]


class DeviationCondition(Condition):
    """Reads its column a second time, once mean and standard deviation, or quartiles, are known."""

    def __init__(
        self,
        metric: Any,
        names: tuple[str, ...],
        columns: Mapping[str, Column],
        limit: int,
        *,
        answer: Callable[[Any], Any],
    ) -> None:
        """``answer`` gives the values of the metrics that the condition builds on, when the first reading is done."""
        super().__init__(metric, names, columns, limit)
        self._answer = answer
        self._ready = False
        self._by_moments = metric.metric_name == "column_values.z_score.under_threshold.condition"
        # Quartiles may be read again themselves.
        self.late = not self._by_moments

    def update(self, block: Block) -> None:
        """Nothing at first; later every row."""
        missing = block.missing(self.names[0])
        if not self._ready or missing == len(block):
            return
        if (unexpected := self._compared(block)) is not None:
            self.count(block, len(block) - missing, unexpected)
        else:
            self.count_judged(block, self.judged(block.frame(self.names)))

    def _compared(self, block: Block) -> np.ndarray | None:
        if not self._by_moments or not are_plain(self.names, self.columns):
            return None
        return unexpected_of_z_score(self.metric.metric_value_kwargs, self.known, block, self.names[0])

    def again(self) -> bool:
        """Once, with the numbers of the whole column."""
        if self._ready:
            return False
        needed = {one.metric_name: one for one in _behind(self.metric) if one.metric_name.startswith("column.")}
        self.known |= {name: self._answer(one) for name, one in needed.items()}
        self._ready = True
        return True


def _behind(metric: Any) -> list[Any]:
    direct = list(metric.metric_dependencies.values())
    return [*direct, *(deeper for one in direct for deeper in _behind(one))]
