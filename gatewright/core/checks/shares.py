"""A share of rows as a measurement, with an interval that knows which rows belong together."""

from typing import Any

from numpy.typing import NDArray

from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import BlockTable, assign_blocks, block_sums, bootstrap
from gatewright.core.statistics.confusion import RATES, rate_interval
from gatewright.core.statistics.proportions import wilson

__all__ = ["share_interval", "share_of_rows"]


def share_of_rows(
    metric: str,
    flags: NDArray[Any],
    *,
    confidence: float,
    clusters: NDArray[Any] | None = None,
    seed: int = 0,
    slice: str = "all",
    note: str = "",
) -> Measurement:
    """The share of true ``flags``, shape (rows,), with the interval of `share_interval`."""
    if not flags.size:
        return unmeasured(metric, 0, "no rows" if not note else f"no rows; {note}", slice=slice)
    interval = share_interval(flags, confidence=confidence, clusters=clusters, seed=seed)
    return measured(metric, float(flags.mean()), interval, flags.size, slice=slice, note=note)


def share_interval(
    flags: NDArray[Any], *, confidence: float, clusters: NDArray[Any] | None = None, seed: int = 0
) -> Interval | None:
    """Wilson's interval; of clustered rows a bootstrap of clusters, at least Wilson's at the effective number."""
    if clusters is None:
        return wilson(int(flags.sum()), flags.size, confidence=confidence)
    blocks = assign_blocks(flags.size, clusters)
    sums = bootstrap(BlockTable({"rows": block_sums(blocks), "selected": block_sums(blocks, flags)}), seed=seed)
    return rate_interval(RATES["selection_rate"], sums, confidence, clustered=True)
