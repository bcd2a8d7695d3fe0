"""Read files whose addresses come from a spec: only regular files, and only below folders that were named."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from gatewright.core.errors import DataError, SpecError

__all__ = ["read_at_most", "within"]


def within(path: Path, folders: Sequence[Path]) -> Path:
    """Where ``path`` really is, all links followed. Raises SpecError when that is in none of ``folders``.

    A spec's author must not have whatever file the pipeline can read pinned, profiled and shown.
    """
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(os.path.realpath(folder)) for folder in folders):
        raise SpecError(
            "the data lie outside the model's folder and all data folders of the settings.",
            where=str(path),
            remedy="move them there, or add their folder to GATEWRIGHT_DATA_ROOTS.",
        )
    return real


def read_at_most(path: Path, size: int) -> bytes:
    """The first ``size`` + 1 bytes of a regular file. Raises DataError; pipes and devices are not waited for."""
    try:
        # Nothing may have become a link since the path was resolved.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file.read(size + 1)
            problem = "it is no regular file"
    except OSError as error:
        problem = str(error.strerror or error)
    raise DataError(
        f"cannot read the data file: {problem}.",
        where=str(path),
        remedy="put the file there, or correct `data.path` and `data.periods` of the spec.",
    )
