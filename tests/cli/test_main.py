"""The command line starts fast, speaks in exit codes and never shows a traceback for a known problem."""

import subprocess
import sys

import pytest

from gatewright import __version__
from gatewright.cli import main
from gatewright.core.errors import StoreError

HEAVY = ("great_expectations", "sklearn", "pandas", "numpy", "prefect", "boto3", "matplotlib", "fairlearn", "skops")


def test_help_imports_nothing_heavy() -> None:
    """Great Expectations alone would cost three seconds."""
    program = (
        "import sys; from gatewright.cli import main; main(['--help']); "
        f"print('HEAVY', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_what_only_reads_releases_imports_no_frames() -> None:
    """`show` and its like need the store's client, and nothing that computes: it would double their time."""
    program = (
        "import sys; import gatewright.cli, gatewright.wiring, gatewright.cli.question_page; "
        f"print('HEAVY', sorted((set({HEAVY!r}) - {{'boto3'}}) & set(sys.modules)), 'pyarrow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "HEAVY [] False"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands are found without reading documentation."""
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in ("abandon", "doctor", "history", "lineage", "policy", "releases", "serve", "show"):
        assert command in shown


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """For bug reports."""
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["shwo"], ["show"], ["releases", "--modle", "x"], ["policy", "chekc"]])
def test_a_wrong_call_is_an_error_not_a_verdict(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 means blocked; a misspelt command must not look like it."""
    assert main(arguments) == 1
    assert capsys.readouterr().err


def test_a_known_problem_is_one_message_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Problem, place and remedy on standard error; nothing on standard output."""

    def refuse(*, read_only: bool) -> None:
        raise StoreError("the store does not answer.", where="http://127.0.0.1:1", remedy="start it.")

    monkeypatch.setattr("gatewright.wiring.connect", refuse)
    assert main(["releases"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Error: the store does not answer.\n  where:  http://127.0.0.1:1\n  remedy: start it.\n"
