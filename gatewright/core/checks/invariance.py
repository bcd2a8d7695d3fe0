"""Do decisions stay when columns that should not matter alone take another value?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gatewright.core.checks.inputs import accept_columns, unmeasured
from gatewright.core.checks.probes import Probe
from gatewright.core.checks.shares import share_of_rows
from gatewright.core.results import Measurement
from gatewright.core.spec import Invariance

__all__ = ["measure_invariance"]

# Of columns with many values the most frequent are tried; this many times as many rows are scored.
VALUES = 8
ROWS = 5_000


def measure_invariance(probe: Probe, invariances: Sequence[Invariance]) -> tuple[Measurement, ...]:
    """``invariance_flip_rate`` per invariance, its slice: the share of rows whose decision another value changes.

    Each of up to `ROWS` rows is scored with the columns at each of the `VALUES` most frequent (combinations of)
    values in the data; one model call an invariance. A row counts once if any value changes its decision. No
    value where the columns have no two values. Raises DataError for missing columns.
    """
    part = probe.sample(ROWS)
    return tuple(_measured(part, invariance, _values(probe.frame, invariance)) for invariance in invariances)


def _values(frame: pd.DataFrame, invariance: Invariance) -> list[Mapping[str, Any]]:
    columns = list(invariance.columns)
    accept_columns(frame, columns, where=f"invariance {invariance.name}")
    counts = frame[columns].dropna().groupby(columns, observed=True, sort=True).size()
    # A stable sort of sorted values: equal counts keep the order of their values.
    found = counts.sort_values(ascending=False, kind="stable").reset_index()[columns].head(VALUES)
    return [{str(name): row[name] for name in columns} for _, row in found.iterrows()]


def _measured(probe: Probe, invariance: Invariance, values: Sequence[Mapping[str, Any]]) -> Measurement:
    metric, named = "invariance_flip_rate", ", ".join(f"`{name}`" for name in invariance.columns)
    if len(values) < 2:
        return unmeasured(metric, len(probe.frame), f"{named} has no two values", slice=invariance.name)
    scores = probe.ask(values, where=f"invariance {invariance.name}")
    decided = scores >= probe.threshold
    moved = float(np.abs(scores - probe.scores).max(initial=0.0))
    return share_of_rows(
        metric,
        (decided != (probe.scores >= probe.threshold)).any(axis=0),
        confidence=probe.confidence,
        clusters=probe.clusters,
        seed=probe.seed,
        slice=invariance.name,
        note=f"{len(values)} values of {named}; the largest change of a score is {moved:.3g}",
    )
