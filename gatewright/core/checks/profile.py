"""What a reference leaves behind: histograms and dictionaries, so that its rows need never be read again."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from gatewright.core.records import Record
from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = ["Calendar", "CategoricalProfile", "Count", "FeatureProfile", "NumericProfile", "Profile", "Unit"]

Count = Annotated[int, Field(ge=0)]
# Dates are numbers of days since 1970, booleans 0 and 1.
Unit = Literal["number", "boolean", "date"]
Calendar = Literal["month", "weekday"]


class NumericProfile(Record):
    """Counts and means of the reference between inner ``edges``; a value on an edge belongs to the bin above.

    The first edge is the smallest value, the last the number after the largest one, so that the two outer bins
    are empty here and count what lies outside later. ``index_edges``, some of the edges, are those of the coarser
    bins of the stability index. ``means`` of the bins are in ``scale`` from ``center``. ``mean`` and ``deviation``
    are None without rows.
    """

    kind: Literal["numeric"] = "numeric"
    unit: Unit = "number"
    edges: tuple[float, ...]
    index_edges: tuple[float, ...]
    counts: tuple[Count, ...]
    means: tuple[float, ...]
    nulls: Count
    low: float | None
    high: float | None
    mean: float | None
    deviation: float | None
    center: float
    scale: Annotated[float, Field(gt=0)]

    @property
    def rows(self) -> int:
        """Rows that are not null."""
        return sum(self.counts)

    def index_counts(self, counts: FloatArray | IntArray) -> FloatArray:
        """``counts`` of the fine bins added up to those of the stability index."""
        starts = np.searchsorted(np.array(self.edges), np.array(self.index_edges)) + 1
        return np.add.reduceat(counts, np.concatenate([[0], starts])).astype(np.float64)


class CategoricalProfile(Record):
    """Counts of the reference per category, as text; ``other``: rows whose categories were too many to list."""

    kind: Literal["categorical"] = "categorical"
    counts: dict[str, Count]
    other: Count = 0
    nulls: Count

    @property
    def rows(self) -> int:
        """Rows that are not null."""
        return sum(self.counts.values()) + self.other


FeatureProfile = Annotated[NumericProfile | CategoricalProfile, Field(discriminator="kind")]


class Profile(Record):
    """The reference a model is compared with: ``rows`` rows, a histogram per feature, of the scores and of the labels.

    ``score`` is what the model answers: scores, or for other tasks than a binary classification numbers or classes.
    With a ``calendar`` also one profile for each month of the year or day of the week in ``parts``, with the same
    edges; ``time_column`` is where a file has the time.
    """

    rows: Count
    features: dict[str, FeatureProfile]
    score: FeatureProfile | None = None
    label: FeatureProfile | None = None
    calendar: Calendar | None = None
    time_column: str | None = None
    parts: dict[str, "Profile"] = {}
