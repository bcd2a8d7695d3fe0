"""Fixed bins of scores, the same for every file, model and machine, so that histograms add up.

Both kinds of bins follow the score's floating-point bits, folded at 0.5: they are finer near 0 and 1, where
probabilities of rare events crowd. *Fine* bins are at most 2**-21 wide and at most 2**-12 of the distance to the
nearer end; *coarse* ones hold a thirty-second of an octave (an eighth below 2**-11).
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = ["COARSE_BINS", "FINE_BINS", "coarse_bins", "fine_bins", "fine_values"]

# Below EVEN, fine bins are a 4096th of an octave; above, all are STEP wide.
STEP, EVEN, LEAST = 2.0**-21, 2.0**-9, 2.0**-40
PER_OCTAVE = 1 << 12
_OCTAVE_BINS = 31 * PER_OCTAVE
_HALF = _OCTAVE_BINS + (1 << 20) - PER_OCTAVE  # the bin of 0.5 itself
FINE_BINS = 2 * _HALF + 1

COARSE_BINS = 1024
_COARSE_OCTAVES = ((10, 32), (24, 8))


def fine_bins(scores: FloatArray) -> NDArray[np.int32]:
    """The fine bin of each score in [0, 1], shape (rows,); rises with the score."""
    distance = np.minimum(scores, 1 - scores)
    even = (distance / STEP).astype(np.int32) + np.int32(_OCTAVE_BINS - PER_OCTAVE)
    small = np.flatnonzero(distance < EVEN)
    even[small] = _octave_bins(distance[small])
    return np.where(scores < 0.5, even, np.int32(2 * _HALF) - even)


def _octave_bins(distance: FloatArray) -> NDArray[np.int32]:
    return ((_bits(np.maximum(distance, LEAST)) - _bits(np.array(LEAST))) >> 40).astype(np.int32)


def _bits(values: FloatArray) -> IntArray:
    return values.view(np.int64)


@lru_cache(maxsize=1)
def fine_values() -> FloatArray:
    """A score from the middle of each fine bin, shape (FINE_BINS,)."""
    octave = ((np.arange(_OCTAVE_BINS) << 40) + (1 << 39) + _bits(np.array(LEAST))).view(np.float64)
    octave[0] = LEAST / 2
    even = (np.arange(PER_OCTAVE, 1 << 20) + 0.5) * STEP
    low = np.concatenate([octave, even])
    values = np.concatenate([low, [0.5], 1 - low[::-1]])
    values.flags.writeable = False
    return values


def coarse_bins(fine: NDArray[Any]) -> NDArray[np.int16]:
    """The coarse bin of each fine bin; rises with it."""
    coarse: NDArray[np.int16] = _coarse_of_fine()[fine]
    return coarse


@lru_cache(maxsize=1)
def _coarse_of_fine() -> NDArray[np.int16]:
    starts = np.searchsorted(fine_values()[: _HALF + 1], _coarse_edges())
    low = np.repeat(np.arange(COARSE_BINS // 2), np.diff(starts, prepend=0, append=_HALF + 1))
    table = np.concatenate([low[:-1], COARSE_BINS - 1 - low[::-1]]).astype(np.int16)
    table.flags.writeable = False
    return table


def _coarse_edges() -> FloatArray:
    edges, top = [], 0.5
    for octaves, parts in _COARSE_OCTAVES:
        for _ in range(octaves):
            edges += [top / 2 * (1 + part / parts) for part in range(parts)]
            top /= 2
    return np.sort(edges)[1:]
