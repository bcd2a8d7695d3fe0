"""What is kept of the blocks that went by."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from gatewright.services.onepass.block import Block
from gatewright.services.onepass.kinds import Column

__all__ = ["Accumulator", "NotInThePassError"]


class NotInThePassError(Exception):
    """The pass cannot answer this exactly: Great Expectations must compute it on the columns themselves."""


class Accumulator(ABC):
    """Sums over blocks, from which some metrics of one domain follow.

    ``update`` is called with each block, in order. Afterwards ``again`` may ask for one more reading of the same
    columns, and ``value`` answers metrics. Each may raise NotInThePassError, or whatever Great Expectations
    raises on such values: then it computes all metrics of this accumulator itself.
    """

    # Whether it waits until no other accumulator of the table reads any more.
    late = False

    def __init__(self, names: tuple[str, ...], columns: Mapping[str, Column]) -> None:
        self.names = names
        self.columns = columns

    @abstractmethod
    def update(self, block: Block) -> None:
        """Take one block into account."""

    def again(self) -> bool:
        """Whether the columns must be read once more, after all blocks went by."""
        return False

    @abstractmethod
    def value(self, metric: Any) -> Any:
        """The value of ``metric``, a GX MetricConfiguration."""
