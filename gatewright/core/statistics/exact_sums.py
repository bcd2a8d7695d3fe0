"""Sums of floats without rounding: the same bits from any order and any partition of the numbers.

A float64 is an integer times a power of two. It is cut into the 32-bit digits of one long fixed-point integer
per cell, which starts at the smallest subnormal; digits are carried to the one balanced form, so that equal
sums are equal arrays. After the small superaccumulator of Neal (2015), "Fast Exact Summation Using Small and
Large Superaccumulators", arXiv:1505.05571.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = ["ExactSums", "exact_squares", "exact_sums"]

BITS = 32
BASE = 1 << BITS
HALF = BASE >> 1
# Digit 0 is worth 2 ** -OFFSET, the smallest subnormal.
OFFSET = 1074
# Sums of this many digits are exact in the float64 that `numpy.bincount` adds in.
CHUNK = 1 << 17
# Above it the constant that rounds to whole digits overflows.
LARGEST = 1e280

T = TypeVar("T", bound="ExactSums")


@dataclass(frozen=True, eq=False)
class ExactSums:
    """One exact sum per cell: ``digits`` of shape (cells, width), each within [-2**31, 2**31).

    The sum of a cell is ``sum(digits[k] * 2 ** (32 * (lowest + k)))`` in units of ``2 ** -OFFSET``. There are no
    empty outer columns, so the representation is unique.
    """

    lowest: int
    digits: IntArray

    def __add__(self, other: Self) -> Self:
        if self.cells != other.cells:
            raise ValueError(f"sums of {self.cells} and of {other.cells} cells cannot be added")
        lowest = min(self.lowest, other.lowest)
        width = max(self.lowest + self.width, other.lowest + other.width) - lowest
        digits = np.zeros((self.cells, width), dtype=np.int64)
        for part in (self, other):
            start = part.lowest - lowest
            digits[:, start : start + part.width] += part.digits
        return _carried(type(self), lowest, digits)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExactSums):
            return NotImplemented
        return self.lowest == other.lowest and np.array_equal(self.digits, other.digits)

    __hash__ = None  # type: ignore[assignment]

    @property
    def cells(self) -> int:
        return int(self.digits.shape[0])

    @property
    def width(self) -> int:
        return int(self.digits.shape[1])

    def moved(self, places: IntArray, count: int) -> Self:
        """The sums as those of ``count`` cells, the k-th of them at ``places[k]``, all others empty."""
        digits = np.zeros((count, self.width), dtype=np.int64)
        digits[places] = self.digits
        return type(self)(self.lowest, digits)

    def floats(self) -> FloatArray:
        """The sums, shape (cells,), each within two units in the last place of the exact one."""
        sums = np.zeros(self.cells)
        for k in range(self.width):
            sums += np.ldexp(self.digits[:, k].astype(np.float64), BITS * (self.lowest + k) - OFFSET)
        return sums

    def fractions(self) -> list[Fraction]:
        """The sums, exactly."""
        scale = Fraction(2) ** (BITS * self.lowest - OFFSET)
        return [sum(digit << BITS * k for k, digit in enumerate(row)) * scale for row in self.digits.tolist()]

    def total(self) -> Fraction:
        """The sum of all cells, exactly."""
        whole = _carried(type(self), self.lowest, self.digits.sum(axis=0, keepdims=True))
        return whole.fractions()[0]


def exact_sums(cells: IntArray, count: int, values: NDArray[Any]) -> ExactSums:
    """Sums of ``values`` by cell: both of shape (rows,), cells from 0 to ``count`` - 1.

    Raises ValueError for NaN and for magnitudes above ``LARGEST``.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not np.all(np.abs(numbers) <= LARGEST):
        raise ValueError(f"NaN and numbers beyond {LARGEST} cannot be summed exactly")
    total = ExactSums(0, np.zeros((count, 0), dtype=np.int64))
    for start in range(0, numbers.size, CHUNK):
        part = slice(start, start + CHUNK)
        total += _chunk_sums(cells[part], count, numbers[part])
    return total


def exact_squares(cells: IntArray, count: int, values: NDArray[Any]) -> ExactSums:
    """Sums of the squares of ``values`` by cell, without rounding the squares (Dekker 1971, Numer. Math. 18).

    The squares must neither overflow nor, where they count, underflow: magnitudes from 1e-140 to 1e140.
    """
    numbers = np.asarray(values, dtype=np.float64)
    squares = numbers * numbers
    spread = 134217729.0 * numbers
    high = spread - (spread - numbers)
    low = numbers - high
    rest = ((high * high - squares) + 2 * high * low) + low * low
    return exact_sums(cells, count, squares) + exact_sums(cells, count, rest)


def _chunk_sums(cells: IntArray, count: int, numbers: FloatArray) -> ExactSums:
    """Take off what is a multiple of each digit's worth, from the highest digit down, until nothing is left.

    Adding and subtracting 1.5 * 2**52 units rounds to whole units, and what is left over is exact: the
    error-free vector transformation of Rump, Ogita, Oishi (2008), SIAM J. Sci. Comput. 31(1), 189-224.
    """
    highest = _digit_of(float(np.abs(numbers).max(initial=0.0)))
    columns: list[IntArray] = []
    rest, place = numbers, highest
    while rest.any():
        unit = BITS * place - OFFSET
        shift = np.ldexp(1.5, 52 + unit)
        whole = (rest + shift) - shift
        rest = rest - whole
        columns.append(np.ldexp(np.bincount(cells, weights=whole, minlength=count), -unit).astype(np.int64))
        place -= 1
    digits = np.stack(columns[::-1], axis=1) if columns else np.zeros((count, 0), dtype=np.int64)
    return _carried(ExactSums, place + 1, digits)


def _digit_of(largest: float) -> int:
    """The lowest digit in whose units ``largest`` is below 2 ** 32."""
    return max(0, (int(np.frexp(largest)[1]) + OFFSET - 1) // BITS)


def _carried(kind: type[T], lowest: int, digits: IntArray) -> T:
    """Digits carried to within [-2**31, 2**31), without empty outer columns."""
    carried = np.zeros((digits.shape[0], digits.shape[1] + 2), dtype=np.int64)
    carry = np.zeros(digits.shape[0], dtype=np.int64)
    for k in range(carried.shape[1]):
        value = carry + (digits[:, k] if k < digits.shape[1] else 0)
        carry = (value + HALF) >> BITS
        carried[:, k] = value - (carry << BITS)
    filled = np.flatnonzero(carried.any(axis=0))
    if not filled.size:
        return kind(0, np.zeros((digits.shape[0], 0), dtype=np.int64))
    return kind(lowest + int(filled[0]), carried[:, filled[0] : filled[-1] + 1])
