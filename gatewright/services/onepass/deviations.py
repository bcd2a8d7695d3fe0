"""Conditions that need the whole column's numbers first: z-scores and outliers."""

from collections.abc import Callable, Mapping
from typing import Any

from gatewright.services.onepass.block import Block
from gatewright.services.onepass.conditions import Condition
from gatewright.services.onepass.kinds import Column

__all__ = ["DeviationCondition"]


class DeviationCondition(Condition):
    """Reads its column a second time, once mean and standard deviation, or quartiles, are known."""

    late = True

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

    def update(self, block: Block) -> None:
        """Nothing at first; later every row."""
        if self._ready and block.missing(self.names[0]) < len(block):
            self.count_judged(block, self.judged(block.frame(self.names)))

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
