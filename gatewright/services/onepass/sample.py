"""The first rows that were unexpected, as many as a result may show."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gatewright.services.onepass.block import Block
from gatewright.services.onepass.functions import evaluate

__all__ = ["Sample"]


class Sample:
    """At most ``limit`` rows of ``names``, the first in the table's order."""

    def __init__(self, names: tuple[str, ...], limit: int) -> None:
        self._names = names
        self._left = limit
        self._parts: list[pd.DataFrame] = []

    @property
    def open(self) -> bool:
        """Whether it takes more rows."""
        return self._left > 0

    def add(self, block: Block, rows: np.ndarray) -> None:
        """``rows``: numbers of unexpected rows within the block, ascending."""
        if self.open and len(rows):
            self._parts.append(block.take(self._names, rows[: self._left]))
            self._left -= min(self._left, len(rows))

    def show(self, metric: Any, condition: str, domains: tuple[Any, Any], known: Mapping[str, Any]) -> Any:
        """The value of ``metric``, which lists unexpected rows of the metric ``condition``.

        ``domains``: the two dictionaries that Great Expectations hands from a condition to what builds on it.
        """
        if not self._parts:
            return []
        rows = pd.concat(self._parts)
        every = pd.Series(True, index=rows.index)
        return evaluate(metric, rows, {**known, condition: (every, *domains)})
