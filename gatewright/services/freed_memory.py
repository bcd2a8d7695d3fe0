"""Give freed arrays back to the system, so that a process that streams stays small."""

import ctypes
from functools import cache

__all__ = ["give_back_freed_memory"]

M_MMAP_THRESHOLD = -3
ONE_MEGABYTE = 1 << 20


@cache
def give_back_freed_memory() -> None:
    """Ask glibc, once a process, to map arrays of a megabyte and more apart; mallopt(3), M_MMAP_THRESHOLD.

    By default it raises that limit to 32 MB as arrays are freed and then keeps them in its heap, with holes: a
    streaming process grew by a third. Other C libraries have no such call and are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, ONE_MEGABYTE)
