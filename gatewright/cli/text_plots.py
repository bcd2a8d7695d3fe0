"""Small plots made of characters, for terminals and pipes: pure text, one line each.

Where the encoding has no block characters (``plain=True``), ASCII signs take their place.
"""

import math
from collections.abc import Sequence
from typing import IO

__all__ = ["bar", "draws_blocks", "sparkline", "whisker"]

_LEVELS = "▁▂▃▄▅▆▇█"
_PLAIN_LEVELS = "_.:-=+*#"
_EIGHTHS = "▏▎▍▌▋▊▉█"


def draws_blocks(stream: IO[str]) -> bool:
    """Whether block and line characters can be written to ``stream``."""
    try:
        (_LEVELS + _EIGHTHS + "├┤─●│┊").encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def whisker(
    low: float | None,
    value: float | None,
    high: float | None,
    *,
    scale: tuple[float, float],
    width: int = 20,
    marks: Sequence[float] = (),
    plain: bool = False,
) -> str:
    """``├──●──┤`` on a line of ``width`` characters that reaches from ``scale[0]`` to ``scale[1]``.

    ``marks`` (a limit, zero) are thin bars behind the whisker. What lies outside the scale is drawn on its edge;
    what is None or not finite is left out.
    """
    left, line, right, dot, mark = "|-|o:" if plain else "├─┤●┊"
    cells = [" "] * width
    for one in marks:
        _put(cells, one, scale, mark)
    if low is not None and high is not None and math.isfinite(low) and math.isfinite(high):
        first, last = _place(low, scale, width), _place(high, scale, width)
        cells[first : last + 1] = line * (last + 1 - first)
        # A mark inside the interval still shows: that is what the interval reaches past.
        for one in marks:
            if first < _place(one, scale, width) < last:
                _put(cells, one, scale, "+" if plain else "┼")
        cells[first], cells[last] = left, right
    _put(cells, value, scale, dot)
    return "".join(cells)


def bar(value: float | None, *, full: float, width: int = 12, mark: float | None = None, plain: bool = False) -> str:
    """A bar of at most ``width`` characters, all of them at ``full`` and beyond; ``mark`` puts a thin bar behind it."""
    share = 0.0 if value is None or not math.isfinite(value) or full <= 0 else min(max(value / full, 0.0), 1.0)
    if plain:
        cells = list("#" * round(share * width))
    else:
        eighths = round(share * width * 8)
        cells = list("█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else ""))
    cells += [" "] * (width - len(cells))
    if mark is not None and full > 0:
        place = _place(mark, (0.0, full), width)
        if cells[place] == " ":
            cells[place] = ":" if plain else "┊"
    return "".join(cells).rstrip()


def sparkline(values: Sequence[float | None], *, top: float | None = None, plain: bool = False) -> str:
    """One character a value between 0 and ``top`` (the largest value by default); a space where there is none.

    Of shares of rows it is a histogram, of one number over time its course.
    """
    levels = _PLAIN_LEVELS if plain else _LEVELS
    known = [value for value in values if value is not None and math.isfinite(value)]
    full = top if top is not None else max(known, default=0.0)
    return "".join(_level(value, full, levels) for value in values)


def _level(value: float | None, full: float, levels: str) -> str:
    if value is None or not math.isfinite(value):
        return " "
    share = 0.0 if full <= 0 else min(max(value / full, 0.0), 1.0)
    return levels[min(math.ceil(share * len(levels)), len(levels)) - 1 if share else 0]


def _put(cells: list[str], value: float | None, scale: tuple[float, float], sign: str) -> None:
    if value is not None and math.isfinite(value):
        cells[_place(value, scale, len(cells))] = sign


def _place(value: float, scale: tuple[float, float], width: int) -> int:
    share = (value - scale[0]) / ((scale[1] - scale[0]) or 1.0)
    return round(min(max(share, 0.0), 1.0) * (width - 1))
