"""Does the model withstand small faults in its inputs?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from gatewright.core.checks.duplicates import Hashes
from gatewright.core.checks.evaluation_table import log_losses
from gatewright.core.checks.inputs import (
    accept_clusters,
    accept_labels,
    accept_scores,
    measured,
    unmeasured,
)
from gatewright.core.checks.perturbations import perturb
from gatewright.core.checks.probes import Probe
from gatewright.core.checks.shares import share_of_rows
from gatewright.core.results import Interval, Measurement
from gatewright.core.spec import Perturbation
from gatewright.core.statistics.auc import auc, auc_difference_interval
from gatewright.core.statistics.blocks import (
    BlockTable,
    FloatArray,
    Sums,
    assign_blocks,
    block_sums,
    bootstrap,
    canonical_order,
    hull,
)
from gatewright.core.statistics.confusion import quotient
from gatewright.core.statistics.proportions import bonett_price_difference

__all__ = ["FRACTIONS", "degradation_curves", "measure_perturbations", "measure_robustness"]

# Each perturbation is measured at these fractions of its amount; the whole amount is what rules decide on.
FRACTIONS = (0.25, 0.5, 1.0)
# More rows than this change an interval less than anybody's margin; they would be scored once per fraction.
PERTURBED_ROWS = 50_000


def measure_perturbations(
    probe: Probe, labels: Any, perturbations: Sequence[Perturbation]
) -> tuple[tuple[Measurement, ...], list[JsonValue]]:
    """What `measure_robustness` measures at the whole amount, and `degradation_curves` of all `FRACTIONS`.

    Asks the model once for each perturbation and fraction, about at most `PERTURBED_ROWS` rows.
    """
    chosen = probe.order[:PERTURBED_ROWS]
    part, truth = probe.take(chosen), np.asarray(labels)[chosen]
    found = {
        fraction: measure_robustness(
            truth,
            part.scores,
            {p.name: _scores_under(part, p, fraction) for p in perturbations},
            threshold=part.threshold,
            confidence=part.confidence,
            clusters=part.clusters,
            seed=part.seed,
        )
        for fraction in FRACTIONS
    }
    return found[1.0], degradation_curves(found)


def _scores_under(probe: Probe, perturbation: Perturbation, fraction: float) -> FloatArray:
    weaker = perturbation.model_copy(update={"amount": perturbation.amount * fraction})
    frame = perturb(probe.frame, weaker, categorical=probe.categorical, seed=probe.seed, order=probe.order)
    return probe.score(frame, where=f"scores under perturbation {perturbation.name}")


def degradation_curves(found: Mapping[float, Sequence[Measurement]]) -> list[JsonValue]:
    """For each perturbation its ``points``: ``fraction`` of the amount, and each metric with its bounds.

    ``found``: fraction -> measurements. A metric ``m`` without a value is left out, else there are ``m``,
    ``m_low`` and ``m_high``.
    """
    points: dict[str, dict[float, dict[str, JsonValue]]] = {}
    for fraction, measurements in sorted(found.items()):
        for m in measurements:
            point = points.setdefault(m.slice, {}).setdefault(fraction, {"fraction": fraction})
            if m.value is not None and m.interval is not None:
                point |= {m.metric: m.value, f"{m.metric}_low": m.interval.low, f"{m.metric}_high": m.interval.high}
    return [{"perturbation": name, "points": list(curve.values())} for name, curve in points.items()]


def measure_robustness(
    labels: Any,
    scores: Any,
    perturbed: Mapping[str, Any],
    *,
    threshold: float,
    confidence: float,
    clusters: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """What each perturbation, its slice, costs: paired differences on the same rows.

    ``auc_drop`` and ``recall_drop`` (original minus perturbed), ``log_loss_rise`` (perturbed minus original) and
    ``decision_flip_rate``. ``perturbed``: perturbation name -> scores of the same rows, shape (rows,). Raises
    DataError for wrong labels, ModelError for scores that are NaN, outside [0, 1] or of another length.
    """
    truth = accept_labels(labels)
    ids = accept_clusters(clusters, truth.size)
    original = accept_scores(scores, truth.size, where="candidate scores")
    measurements: list[Measurement] = []
    for name, values in perturbed.items():
        changed = accept_scores(values, truth.size, where=f"scores under perturbation {name}")
        pair = _Pair(name, truth, original, changed, threshold, confidence, ids, seed)
        measurements += [pair.auc_drop(), pair.flip_rate(), pair.log_loss_rise(), pair.recall_drop()]
    return tuple(measurements)


@dataclass(frozen=True)
class _Pair:
    """The same rows before and after a perturbation; arrays have shape (rows,)."""

    name: str
    labels: FloatArray
    original: FloatArray
    changed: FloatArray
    threshold: float
    confidence: float
    clusters: Hashes | None
    seed: int

    @cached_property
    def selected(self) -> NDArray[np.bool_]:
        return self.original >= self.threshold

    @cached_property
    def selected_after(self) -> NDArray[np.bool_]:
        return self.changed >= self.threshold

    def auc_drop(self) -> Measurement:
        rows = self.labels.size
        if not rows or self.labels.min() == self.labels.max():
            return unmeasured("auc_drop", rows, "needs both classes", slice=self.name)
        drop = auc(self.labels, self.original) - auc(self.labels, self.changed)
        interval = auc_difference_interval(
            self.labels, self.original, self.changed, confidence=self.confidence, clusters=self.clusters
        )
        return measured("auc_drop", drop, interval, rows, slice=self.name)

    def flip_rate(self) -> Measurement:
        return share_of_rows(
            "decision_flip_rate",
            self.selected != self.selected_after,
            confidence=self.confidence,
            clusters=self.clusters,
            seed=self.seed,
            slice=self.name,
        )

    def log_loss_rise(self) -> Measurement:
        rise = log_losses(self.labels, self.changed) - log_losses(self.labels, self.original)
        interval = self._resampled(rise, np.ones(rise.size)) if rise.size else None
        value = float(rise.mean()) if rise.size else float("nan")
        return measured("log_loss_rise", value, interval, rise.size, slice=self.name)

    def recall_drop(self) -> Measurement:
        """Of the positives: those lost less those won, over all."""
        positive = self.labels == 1
        n = int(positive.sum())
        if not n:
            return unmeasured("recall_drop", 0, "no positives", slice=self.name)
        lost = int((positive & self.selected & ~self.selected_after).sum())
        won = int((positive & ~self.selected & self.selected_after).sum())
        interval: Interval | None = bonett_price_difference(lost, won, n, confidence=self.confidence)
        if self.clusters is not None:
            moved = self.selected.astype(np.float64) - self.selected_after
            interval = hull(self._resampled(moved * positive, positive), interval)
        return measured("recall_drop", (lost - won) / n, interval, n, slice=self.name)

    def _resampled(self, values: NDArray[Any], weights: NDArray[Any]) -> Interval | None:
        """Interval of the sum of ``values`` over the sum of ``weights``."""
        # Without clusters blocks go by position: sorted, so that the order of rows does not matter.
        order = canonical_order(self.labels, self.original, self.changed)
        ids = None if self.clusters is None else self.clusters[order]
        blocks = assign_blocks(order.size, ids)
        table = BlockTable(
            {
                "rows": block_sums(blocks),
                "values": block_sums(blocks, values[order]),
                "weights": block_sums(blocks, weights[order]),
            }
        )
        return bootstrap(table, seed=self.seed).interval(_mean, self.confidence)


def _mean(sums: Sums) -> FloatArray:
    return quotient(sums["values"], sums["weights"])
