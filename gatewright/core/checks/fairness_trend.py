"""Fairness over releases: the series of each gap, oldest release first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from gatewright.core.results import Measurement

__all__ = ["fairness_trend"]


def fairness_trend(
    releases: Sequence[tuple[str, Iterable[Measurement]]], *, metrics: Collection[str]
) -> list[dict[str, Any]]:
    """One series per metric and slice, as plain JSON.

    ``releases``: release id and what its fairness stage measured, oldest first. Keys of a series: ``metric``,
    ``slice``, and ``points``, one a release: ``release``, ``value``, ``low``, ``high``, ``n`` (numbers None where it
    was not measured, so that a gap in the series is seen). Each release was measured on evaluation data of its own;
    whether a change between two of them is more than chance is told by ``<metric>_change`` on the same rows.
    """
    found = {release: _by_metric_and_slice(measurements, metrics) for release, measurements in releases}
    keys = sorted({key for measured in found.values() for key in measured})
    return [
        {
            "metric": metric,
            "slice": slice,
            "points": [_point(release, measured.get((metric, slice))) for release, measured in found.items()],
        }
        for metric, slice in keys
    ]


def _by_metric_and_slice(
    measurements: Iterable[Measurement], metrics: Collection[str]
) -> Mapping[tuple[str, str], Measurement]:
    return {(m.metric, m.slice): m for m in measurements if m.metric in metrics}


def _point(release: str, m: Measurement | None) -> dict[str, Any]:
    bounds = None if m is None else m.interval
    return {
        "release": release,
        "value": None if m is None else m.value,
        "low": None if bounds is None else bounds.low,
        "high": None if bounds is None else bounds.high,
        "n": None if m is None else m.n,
    }
