"""Progress of long work, on standard error, while a person watches."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from gatewright.services.reports.escape import plain

__all__ = ["progress"]


@contextlib.contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar that is told how many rows are done, of ``total`` where that is known. Nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda rows: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    words = "{task.completed:,} rows" if total is None else "{task.completed:,} of {task.total:,} rows"
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn(words), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(plain(what), total=total)
        yield lambda rows: shown.update(task, completed=rows)
