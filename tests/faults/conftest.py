"""Prints what the fault tests injected, at the end of the session."""

import pytest

from tests.faults.figures import FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES.points:
        terminalreporter.section("faults")
        terminalreporter.write_line(FIGURES.table())
