"""One model's decisions on one slice: rates by group, which groups have support, and resamples of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.fairness_metrics import GROUP_RATES, SUPPORTED_RATES
from gatewright.core.checks.fairness_sums import AuditedSlice
from gatewright.core.statistics.blocks import MINIMUM_BLOCKS, BlockTable, FloatArray, IntArray, bootstrap
from gatewright.core.statistics.gap_tests import effective_counts
from gatewright.core.statistics.gaps import Gap, GapKind
from gatewright.core.statistics.redraws import redrawn

__all__ = ["Audit", "Decided", "audit"]


@dataclass(frozen=True)
class Decided:
    """One model's decisions on one slice, by group.

    ``cells``: shape (k, 2, 2) by label and decision. ``replicates``: the same in each resample, shape
    (B, k, 2, 2); None where no resample was needed. ``blocks``: how many blocks of clusters hold rows of each
    cell, shape (k, 2, 2); None without clusters.
    """

    slice: str
    groups: tuple[str, ...]
    cells: IntArray
    replicates: FloatArray | None
    blocks: IntArray | None
    minimum_support: int

    def support(self, rate: str) -> FloatArray:
        """The denominator of ``rate`` by group, shape (k,)."""
        counts: FloatArray = GROUP_RATES[rate].denominator(self.cells)
        return counts

    def supported(self, rate: str) -> NDArray[np.bool_]:
        """Which groups have rows enough for ``rate``, shape (k,)."""
        supported: NDArray[np.bool_] = self.support(rate) >= self.minimum_support
        return supported

    def left_out(self, rate: str) -> list[str]:
        """The groups without support for ``rate``, each with its number of rows."""
        counts, counted = self.support(rate), GROUP_RATES[rate].counted
        return [f"{self.groups[k]} ({counts[k]:.0f} {counted})" for k in np.flatnonzero(~self.supported(rate))]

    def unsupported(self) -> NDArray[np.bool_]:
        """Which groups lack support for at least one rate, shape (k,)."""
        supported: NDArray[np.bool_] = np.all([self.supported(rate) for rate in SUPPORTED_RATES], axis=0)
        return ~supported

    def rates(self, rate: str, kept: IntArray) -> FloatArray:
        """The rate of the groups ``kept``."""
        return GROUP_RATES[rate](self.cells[kept])

    def resampled(self, rate: str, kept: IntArray) -> FloatArray:
        """The rate of the groups ``kept`` in each resample, shape (B, len(kept)); B is 0 without resamples."""
        if self.replicates is None:
            return np.zeros((0, kept.size))
        return GROUP_RATES[rate](self.replicates[:, kept])

    def gap(self, rate: str, kind: GapKind, kept: IntArray) -> Gap:
        """The gap between the groups ``kept``, with as many rows as they are worth."""
        rates, counts = self.rates(rate, kept), self.support(rate)[kept]
        if self.blocks is not None:
            # A lower bound of the blocks with rows of the denominator: those of its fullest cell.
            blocks = np.max([self.blocks[kept, label, decision] for label, decision in GROUP_RATES[rate].of], axis=0)
            counts = effective_counts(rates, counts, self.resampled(rate, kept), blocks)
        return Gap(kind, rates * counts, counts)


@dataclass(frozen=True)
class Audit:
    """A slice with the decisions of the candidate and, if there is one, the champion on the same resamples.

    ``clusters``: how many blocks of clusters have rows; None without clusters.
    """

    candidate: Decided
    champion: Decided | None
    clusters: int | None

    @property
    def sufficient(self) -> bool:
        """Whether the clusters suffice for intervals."""
        return self.clusters is None or self.clusters >= MINIMUM_BLOCKS


def audit(slice: AuditedSlice, *, champion: bool, minimum_support: int, seed: int) -> Audit:
    """Resample ``slice``: its blocks with clusters, else its counts where a change to the champion is asked."""
    total: IntArray = slice.cells.sum(axis=0)
    clustered = slice.cells.shape[0] > 1
    replicates = None
    if clustered:
        replicates = _block_replicates(slice.cells, seed)
    elif champion:
        flat = total.reshape(len(slice.groups), -1)
        replicates = redrawn(flat, seed=seed).reshape(-1, *total.shape)

    def decided(axis: int) -> Decided:
        own: IntArray = slice.cells.sum(axis=axis)
        return Decided(
            slice=slice.name,
            groups=slice.groups,
            cells=own.sum(axis=0),
            replicates=None if replicates is None else replicates.sum(axis=axis),
            blocks=(own > 0).sum(axis=0) if clustered else None,
            minimum_support=max(minimum_support, 1),
        )

    filled = int(np.count_nonzero(slice.cells.any(axis=(1, 2, 3, 4)))) if clustered else None
    return Audit(decided(-1), decided(-2) if champion else None, filled)


def _block_replicates(cells: IntArray, seed: int) -> FloatArray:
    table = {"rows": cells.sum(axis=(1, 2, 3, 4)).astype(np.float64), "cells": cells.reshape(cells.shape[0], -1)}
    resampled = bootstrap(BlockTable(table), seed=seed).replicates["cells"]
    return resampled.reshape(-1, *cells.shape[1:])
