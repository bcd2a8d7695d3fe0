"""Whoever reads the command line may stop reading."""

import subprocess
import sys


def test_a_reader_that_stops_gets_no_traceback() -> None:
    """`gatewright ... | head` closes the pipe early."""
    command = [sys.executable, "-m", "gatewright.cli", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1
