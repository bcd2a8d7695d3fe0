"""Counts by group, label and decision: all that a fairness audit needs of the rows, from one pass over them.

Without clusters the counts say everything, because rows differ only by their cell; with clusters there are
counts for each block of clusters, which `statistics.blocks` resamples. All entries are integers: sums of the same
rows are the same bytes, whatever their order and however they were divided.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.group_codes import group_codes, joined
from gatewright.core.checks.group_tables import (
    MAXIMUM_GROUPS,
    SCORE_UNIT,
    Arrays,
    Features,
    Groups,
    Rows,
    count,
    kept_tables,
    marginal,
    shapes,
    spread,
)
from gatewright.core.checks.inputs import accept_clusters, accept_labels, accept_scores
from gatewright.core.errors import DataError, IntegrityError, ModelError
from gatewright.core.statistics.blocks import BLOCKS, FloatArray, IntArray, assign_blocks

__all__ = ["AuditedSlice", "FairnessSums", "accept_decisions", "fairness_sums"]

FORMAT = "gatewright fairness sums 1"


@dataclass(frozen=True)
class AuditedSlice:
    """The counts of one slice, its ``k`` groups being those that have rows.

    ``cells``: shape (blocks, k, 2, 2, 1 or 2) by label, candidate's and champion's decision. ``outcomes``:
    (blocks, k, BINS, 2) by score bin and label, and ``scores``: (blocks, k, BINS), sums of scores; None where no
    scores were given. ``blocks`` is 1 without clusters.
    """

    name: str
    groups: tuple[str, ...]
    cells: IntArray
    outcomes: IntArray | None
    scores: FloatArray | None

    @property
    def candidate(self) -> IntArray:
        """Rows by label and the candidate's decision: shape (blocks, k, 2, 2)."""
        return np.asarray(self.cells.sum(axis=-1))

    @property
    def champion(self) -> IntArray:
        """Rows by label and the champion's decision: shape (blocks, k, 2, 2)."""
        return np.asarray(self.cells.sum(axis=-2))


@dataclass(frozen=True, eq=False)
class FairnessSums:
    """Counts of rows by group and confusion cell; sums of two parts of the data add up with ``+``.

    ``groups``: sensitive column -> its groups, both sorted. ``tables``: columns -> their counts.
    """

    groups: Groups
    tables: Mapping[Features, Arrays]
    clustered: bool
    champion: bool
    scored: bool

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return int(next(iter(self.tables.values()))["cells"].sum())

    def __add__(self, other: Self) -> Self:
        if self._kind() != other._kind():
            raise ValueError("sums of other columns, or with and without clusters, champion or scores, do not add")
        groups = {name: tuple(sorted({*self.groups[name], *other.groups[name]})) for name in self.groups}
        tables = {}
        for features in _kept(groups, clustered=self.clustered, scored=self.scored):
            ours, theirs = self._spread(features, groups), other._spread(features, groups)
            tables[features] = {key: array + theirs[key] for key, array in ours.items()}
        return type(self)(groups, tables, self.clustered, self.champion, self.scored)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FairnessSums):
            return NotImplemented
        return (self._kind(), dict(self.groups)) == (other._kind(), dict(other.groups)) and all(
            np.array_equal(array, other.tables[features][key])
            for features, arrays in self.tables.items()
            for key, array in arrays.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def to_bytes(self) -> bytes:
        """A line of JSON and then the arrays as little-endian 64-bit integers; equal sums give equal bytes."""
        header = {
            "format": FORMAT,
            "groups": [[name, list(names)] for name, names in self.groups.items()],
            "clustered": self.clustered,
            "champion": self.champion,
            "scored": self.scored,
        }
        arrays = [arrays[key] for arrays in self.tables.values() for key in sorted(arrays)]
        body = b"".join(array.astype("<i8").tobytes() for array in arrays)
        return json.dumps(header).encode("ascii") + b"\n" + body

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """The sums that `to_bytes` wrote. Raises IntegrityError for anything else."""
        line, _, rest = body.partition(b"\n")
        try:
            header = json.loads(line)
            groups = {name: tuple(names) for name, names in header.pop("groups")}
            if header.pop("format") != FORMAT or any(type(flag) is not bool for flag in header.values()):
                raise ValueError("another format")
            tables = _read_tables(groups, rest, **header)
            return cls(groups, tables, **header)
        except (ValueError, KeyError, TypeError, AttributeError, DataError) as error:
            raise IntegrityError(
                f"these are not the counts of a fairness audit: {error}.",
                where="fairness sums",
                remedy="count the rows again.",
            ) from error

    def by(self, features: Features) -> Arrays | None:
        """The counts by ``features`` (sorted) alone; None when no table was kept that holds them all."""
        for kept, arrays in self.tables.items():
            if set(features) <= set(kept):
                return marginal(arrays, kept, features)
        return None

    def slices(self) -> Iterator[AuditedSlice | str]:
        """Each column and then each pair of columns; the name alone of a pair with too many groups."""
        for size in (1, 2):
            for features in combinations(self.groups, size):
                yield self.slice_of(features) or joined(features)

    def slice_of(self, features: Features) -> AuditedSlice | None:
        """The counts by ``features`` (sorted); None for a pair that has too many groups."""
        arrays = self.by(features)
        if arrays is None or prod(len(self.groups[name]) for name in features) > MAXIMUM_GROUPS:
            return None
        return self._slice(features, arrays)

    def _kind(self) -> tuple[tuple[str, ...], bool, bool, bool]:
        return tuple(self.groups), self.clustered, self.champion, self.scored

    def _spread(self, features: Features, groups: Groups) -> Arrays:
        arrays = self.by(features)
        if arrays is None:
            raise AssertionError("what is kept for more groups is kept for fewer")
        return spread(arrays, features, self.groups, groups)

    def _slice(self, features: Features, arrays: Arrays) -> AuditedSlice:
        parts = product(*(self.groups[name] for name in features))
        names = [joined(part) if len(part) > 1 else part[0] for part in parts]
        flat = {key: _flat(array, len(features)) for key, array in arrays.items()}
        filled = np.flatnonzero(flat["cells"].sum(axis=(0, 2, 3, 4)))
        kept = {key: array[:, filled] for key, array in flat.items()}
        return AuditedSlice(
            name=joined(features),
            groups=tuple(names[k] for k in filled),
            cells=kept["cells"],
            outcomes=kept.get("outcomes"),
            scores=(kept["scores"] * SCORE_UNIT).astype(np.float64) if self.scored else None,
        )


def fairness_sums(
    labels: Any,
    decisions: Any,
    groups: Mapping[str, Any],
    *,
    champion_decisions: Any = None,
    scores: Any = None,
    clusters: Any = None,
) -> FairnessSums:
    """Count the rows of one batch.

    ``labels``, ``decisions`` and ``champion_decisions``: 0 and 1 or booleans, shape (rows,). ``scores``: the
    candidate's, within [0, 1]. ``groups``: sensitive column -> the group of each row, as `group_codes` takes it.
    Names that differ only in type are one group, and may differ from batch to batch. Neither the order of rows
    nor of batches matters, so no position is asked for. Raises DataError and ModelError as `measure_evaluation`.
    """
    truth = accept_labels(labels).astype(np.int64)
    ours = accept_decisions(decisions, truth.size, where="candidate decisions")
    cells, models = 2 * truth + ours, 1
    if champion_decisions is not None:
        cells, models = 2 * cells + accept_decisions(champion_decisions, truth.size, where="champion decisions"), 2
    hashes = accept_clusters(clusters, truth.size)
    coded = {name: group_codes(groups[name], truth.size, where=f"groups of `{name}`") for name in sorted(groups)}
    rows = Rows(
        codes={name: column.codes for name, column in coded.items()},
        labels=truth,
        cells=cells,
        models=models,
        blocks=None if hashes is None else assign_blocks(truth.size, hashes),
        scores=None if scores is None else accept_scores(scores, truth.size, where="candidate scores"),
    )
    names = {name: column.names for name, column in coded.items()}
    kept = _kept(names, clustered=hashes is not None, scored=scores is not None)
    tables = {features: count(rows, names, features) for features in kept}
    return FairnessSums(names, tables, hashes is not None, models == 2, scores is not None)


def accept_decisions(decisions: Any, rows: int, *, where: str) -> IntArray:
    """Decisions as integers 0 and 1, shape (rows,). Raises ModelError for anything else."""
    array: NDArray[Any] = np.asarray(decisions)
    if array.shape != (rows,):
        raise ModelError(f"decisions of shape {array.shape} for {rows} rows.", where=where, remedy="give one a row.")
    if array.dtype != np.bool_ and not np.all((array == 0) | (array == 1)):
        raise ModelError(
            f"{int((~np.isin(array, (0, 1))).sum())} of {rows} decisions are neither 0 nor 1.",
            where=where,
            remedy="give 1 where the model selects a row and 0 where it does not.",
        )
    return array.astype(np.int64)


def _read_tables(
    groups: Groups, body: bytes, *, clustered: bool, champion: bool, scored: bool
) -> dict[Features, Arrays]:
    numbers, start = np.frombuffer(body, dtype="<i8").astype(np.int64), 0
    if (numbers < 0).any():
        raise ValueError("negative counts")
    tables: dict[Features, Arrays] = {}
    for features in _kept(groups, clustered=clustered, scored=scored):
        wanted = shapes(groups, features, blocks=BLOCKS if clustered else 1, models=1 + champion, scored=scored)
        tables[features] = arrays = {}
        for key, shape in sorted(wanted.items()):
            arrays[key] = numbers[start : start + prod(shape)].reshape(shape)
            start += prod(shape)
    if start != numbers.size:
        raise ValueError(f"{numbers.size} numbers instead of {start}")
    return tables


def _kept(groups: Groups, *, clustered: bool, scored: bool) -> tuple[Features, ...]:
    return kept_tables(groups, blocks=BLOCKS if clustered else 1, scored=scored)


def _flat(array: IntArray, features: int) -> IntArray:
    """The axes of the groups as one."""
    return array.reshape(array.shape[0], -1, *array.shape[1 + features :])
