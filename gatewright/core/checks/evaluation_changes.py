"""Candidate minus champion on the same rows: intervals and p-values that know of the pairing."""

from dataclasses import dataclass

import numpy as np

from gatewright.core.checks.evaluated import NO_SPREAD, Evaluated, Placed, holding
from gatewright.core.checks.evaluation_metrics import DECISION_METRICS, GAPS, PAIRED_RATES, SMOOTH_BIAS
from gatewright.core.normal import critical_value
from gatewright.core.results import Interval
from gatewright.core.statistics.auc import AucEstimate, difference_estimate, difference_interval
from gatewright.core.statistics.blocks import FloatArray, hull
from gatewright.core.statistics.confusion import RATES, effective_rows
from gatewright.core.statistics.gap_bias import changed_gap_interval
from gatewright.core.statistics.paired import mcnemar, tango, two_sided_p_value

__all__ = ["Change"]


@dataclass(frozen=True)
class Change:
    """One metric of two models, resampled with the same weights."""

    metric: str
    candidate: Evaluated
    champion: Evaluated

    @property
    def value(self) -> float:
        return self.candidate.value(self.metric) - self.champion.value(self.metric)

    @property
    def n(self) -> int:
        return min(self.candidate.denominator(self.metric), self.champion.denominator(self.metric))

    @property
    def replicates(self) -> FloatArray:
        """The change in each resample."""
        return self.candidate.replicates(self.metric) - self.champion.replicates(self.metric)

    def interval(self, confidence: float) -> Interval | None:
        """DeLong's for areas of kept rows, Tango's for paired rates, else the paired bootstrap's."""
        areas = self._areas()
        if areas is not None:
            return areas.interval(confidence)
        if self.candidate.is_crowded(self.metric) or self.champion.is_crowded(self.metric):
            return None
        if self.metric in GAPS:
            return holding(self._gap_interval(confidence), self.value)
        resampled = self.candidate.percentiles(self.value, self.replicates, confidence)
        if resampled is None:
            return None
        if self.metric in PAIRED_RATES:
            return self._rate_interval(resampled)
        if self.metric in DECISION_METRICS and resampled.high - resampled.low < NO_SPREAD:
            return self._without_spread(resampled)
        return resampled

    def p_value(self) -> float | None:
        """Two-sided, of no change: DeLong's, mid-p McNemar's without clusters, else Student's t on the resamples."""
        areas = self._areas()
        if areas is not None:
            return two_sided_p_value(areas.estimate.value, areas.estimate.variance**0.5)
        if self.metric in PAIRED_RATES and not self.candidate.clustered:
            only_ours, only_theirs = self._discordant
            return mcnemar(int(only_ours), int(only_theirs)).mid_p
        degrees = self.candidate.bootstrap.blocks - 1
        if self.metric in GAPS:
            return self._gap_p_value()
        replicates = self.replicates
        value = float(np.nanmean(replicates)) if self.metric in SMOOTH_BIAS else self.value
        error = float(np.nanstd(replicates, ddof=1))
        return two_sided_p_value(value, error if error > NO_SPREAD else 0.0, degrees=degrees)

    def _gap_interval(self, confidence: float) -> Interval | None:
        ours, theirs = (model.gap_error(self.metric) for model in (self.candidate, self.champion))
        return changed_gap_interval(ours, theirs, confidence)

    def _gap_p_value(self) -> float | None:
        """From the 95 % interval as if it were normal on the side of no change."""
        interval = self._gap_interval(0.95)
        if interval is None:
            return None
        ours, theirs = (model.gap_error(self.metric).middle for model in (self.candidate, self.champion))
        change = ours - theirs
        reach = change - interval.low if change > 0 else interval.high - change
        return two_sided_p_value(change, reach / critical_value(0.95))

    def _areas(self) -> "_Areas | None":
        ours, theirs = self.candidate.placed, self.champion.placed
        return None if self.metric != "auc" or ours is None or theirs is None else _Areas(ours, theirs)

    @property
    def _discordant(self) -> tuple[float, float]:
        """Rows that only the candidate, and that only the champion counts to the rate."""
        cells = self.candidate.bootstrap.total["cells"][0].reshape(2, 2, 2)
        only_ours, only_theirs = cells[:, 1, 0], cells[:, 0, 1]
        if self.metric == "accuracy":
            return float(only_ours[1] + only_theirs[0]), float(only_theirs[1] + only_ours[0])
        if self.metric == "specificity":
            return float(only_theirs[0]), float(only_ours[0])
        kept = {"recall": [1], "false_positive_rate": [0]}.get(self.metric, [0, 1])
        return float(only_ours[kept].sum()), float(only_theirs[kept].sum())

    def _rate_interval(self, resampled: Interval) -> Interval:
        n = RATES[self.metric].denominator(self.candidate.bootstrap.total)[0]
        ours, theirs = self._discordant
        if not self.candidate.clustered:
            return tango(ours, theirs, n, confidence=resampled.confidence)
        independent = (ours + theirs - (ours - theirs) ** 2 / n) / n**2
        scale = effective_rows(self.replicates, independent, n, self.candidate.bootstrap.blocks) / n
        closed = tango(ours * scale, theirs * scale, n * scale, confidence=resampled.confidence)
        return hull(resampled, closed) or closed

    def _without_spread(self, resampled: Interval) -> Interval:
        """Both models decide alike on all rows: what as many rows of the rarest kind still doubt."""
        model = self.candidate
        kinds = (model.total("positives"), model.total("rows") - model.total("positives"), model.total("selected"))
        n = max(1.0, min(*kinds, float(model.bootstrap.blocks) if model.clustered else np.inf))
        scale = model.total("rows") / model.total("positives") if self.metric == "lift" else 1.0
        closed = tango(0, 0, n, confidence=resampled.confidence)
        doubt = {"low": self.value + closed.low * scale, "high": self.value + closed.high * scale}
        return closed.model_copy(update=doubt)


@dataclass(frozen=True)
class _Areas:
    """The areas under two curves of the same kept rows."""

    candidate: Placed
    champion: Placed

    @property
    def estimate(self) -> AucEstimate:
        ours = self.candidate
        return difference_estimate(ours.labels, ours.placements, self.champion.placements, ours.clusters)

    def interval(self, confidence: float) -> Interval | None:
        ours = self.candidate
        models = (ours.placements, self.champion.placements)
        return difference_interval(ours.labels, self.estimate, models, confidence, ours.clusters)
