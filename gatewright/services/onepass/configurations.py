"""An expectation's configuration, made once while its metrics are derived."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from great_expectations.expectations.expectation import Expectation

__all__ = ["configurations_once"]

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def configurations_once() -> Iterator[None]:
    """Within it, no expectation is written out a second time.

    ``Expectation.configuration`` writes out all fields at each look, and deriving the metrics of one expectation
    looks some fifty times: a third of what a run costs that does not depend on rows. Nothing may change an
    expectation within; deriving does not. Expectations of other threads get what they would get without it.
    """
    stock = Expectation.__dict__["configuration"]
    # The expectation is kept beside its configuration, so that no other one comes to have its address.
    known: dict[int, tuple[Any, Any]] = {}
    owner = threading.get_ident()

    def remembered(expectation: Any) -> Any:
        if threading.get_ident() != owner:
            return stock.fget(expectation)
        if id(expectation) not in known:
            known[id(expectation)] = (expectation, stock.fget(expectation))
        return known[id(expectation)][1]

    with _ONE_AT_A_TIME:
        Expectation.configuration = property(remembered)
        try:
            yield
        finally:
            Expectation.configuration = stock
