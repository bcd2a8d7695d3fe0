"""What a model achieves when it may abstain: accuracy on the rows it is most certain of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import (
    Bootstrap,
    FloatArray,
    IntArray,
    Sums,
    bootstrap,
    hull,
    percentile_interval,
)
from gatewright.core.statistics.proportions import wilson
from gatewright.core.statistics.resampled_change import resampled_p_value
from gatewright.core.statistics.selective import (
    RiskCoverage,
    binned_area,
    binned_errors,
    risk_coverage,
    selective_table,
)

__all__ = ["AREA", "Choices", "choices", "measure_choices", "selective_accuracy"]

AREA = "area_under_risk_coverage"


def selective_accuracy(coverage: float) -> str:
    """The metric's name."""
    return f"selective_accuracy_at_{coverage:g}"


@dataclass(frozen=True)
class Choices:
    """One model's curve, exact, and its resamples from bins of certainty."""

    curve: RiskCoverage
    bootstrap: Bootstrap

    @property
    def n(self) -> int:
        return int(self.curve.kept[-1]) if self.curve.kept.size else 0

    def accuracy(self, coverage: float) -> tuple[float, FloatArray]:
        """Selective accuracy and its resamples, these less the small error of the bins."""
        return self._corrected(self.curve.accuracy_at(coverage), lambda sums: 1 - binned_errors(sums, coverage))

    def area(self) -> tuple[float, FloatArray]:
        """Area under the risk-coverage curve and its resamples, as `accuracy`."""
        return self._corrected(self.curve.area(), binned_area)

    def _corrected(self, value: float, statistic: Callable[[Sums], FloatArray]) -> tuple[float, FloatArray]:
        error = float(statistic(self.bootstrap.total)[0]) - value
        return value, statistic(self.bootstrap.replicates) - error


def choices(certainty: FloatArray, wrong: NDArray[np.bool_], blocks: IntArray, *, seed: int) -> Choices:
    """Of rows with a ``certainty`` and whether the answer is ``wrong``; all of shape (rows,)."""
    return Choices(risk_coverage(certainty, wrong), bootstrap(selective_table(certainty, wrong, blocks), seed=seed))


def measure_choices(
    candidate: Choices, champion: Choices | None, *, coverages: Sequence[float], confidence: float, clustered: bool
) -> Iterator[Measurement]:
    """``selective_accuracy_at_<coverage>`` for each coverage, the area under the curve, and their changes.

    ``n`` is the number of rows kept. The same rows are not kept by both models, but resampled together.
    """
    for coverage in coverages:
        kept = int(np.ceil(coverage * candidate.n))
        yield from _measure(
            selective_accuracy(coverage),
            candidate.accuracy(coverage),
            None if champion is None else champion.accuracy(coverage),
            _Rows(kept, candidate.bootstrap.blocks, clustered, confidence),
        )
    yield from _measure(
        AREA,
        candidate.area(),
        None if champion is None else champion.area(),
        _Rows(candidate.n, candidate.bootstrap.blocks, clustered, confidence),
    )


@dataclass(frozen=True)
class _Rows:
    kept: int
    blocks: int
    clustered: bool
    confidence: float

    def interval(self, value: float, replicates: FloatArray) -> Interval | None:
        """Resampled; for independent rows, and where no resample differs, at least as wide as Wilson's."""
        resampled = percentile_interval(value, replicates, blocks=self.blocks, confidence=self.confidence)
        if resampled is None or not self.kept or (self.clustered and resampled.high > resampled.low):
            return resampled
        units = min(self.kept, self.blocks) if self.clustered else self.kept
        return hull(resampled, wilson(min(max(value, 0.0), 1.0) * units, units, confidence=self.confidence))


def _measure(
    metric: str, ours: tuple[float, FloatArray], theirs: tuple[float, FloatArray] | None, rows: _Rows
) -> Iterator[Measurement]:
    yield _measured(metric, ours[0], rows.interval(*ours), rows.kept)
    if theirs is None:
        return
    value, replicates = ours[0] - theirs[0], ours[1] - theirs[1]
    interval = percentile_interval(value, replicates, blocks=rows.blocks, confidence=rows.confidence)
    found = _measured(f"{metric}_change", value, interval, rows.kept)
    p_value = resampled_p_value(value, replicates, blocks=rows.blocks)
    yield found if found.value is None else found.model_copy(update={"p_value": p_value})


def _measured(metric: str, value: float, interval: Interval | None, kept: int) -> Measurement:
    return measured(metric, value, interval, kept) if kept else unmeasured(metric, 0, "no rows")
