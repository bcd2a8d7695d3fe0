"""``policy check`` reads what a person wrote as strictly as a release does."""

import json
from pathlib import Path

import pytest
import yaml

from gatewright.cli import main
from tests.services.reports.example_view import POLICY


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_text(yaml.safe_dump(POLICY.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
    return path


@pytest.fixture
def misspelt(tmp_path: Path, good: Path) -> Path:
    path = tmp_path / "misspelt.yaml"
    path.write_text(good.read_text().replace("serving_timeout_seconds", "serving_timeout_second"), encoding="utf-8")
    return path


def test_a_valid_policy_is_ok(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0 and one line."""
    assert main(["policy", "check", str(good)]) == 0
    assert capsys.readouterr().out == f"OK     {good}\n"


def test_a_misspelt_key_is_named_with_its_line_and_the_right_name(
    misspelt: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All files are checked; one error makes the exit code 1."""
    assert main(["policy", "check", str(misspelt), str(good)]) == 1
    out = capsys.readouterr().out
    assert f"{misspelt}:" in out
    assert "did you mean `serving_timeout_seconds`?" in out
    assert f"OK     {good}" in out


def test_the_result_as_json_holds_problem_place_and_remedy(misspelt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a pre-commit hook."""
    assert main(["policy", "check", str(misspelt), "--json"]) == 1
    [found] = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert set(found) == {"file", "ok", "problem", "where", "remedy"}


def test_a_roster_is_checked_as_a_roster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It lies in the same folder, so ``policies/*.yaml`` just works."""
    path = tmp_path / "roster.yaml"
    path.write_text("version: 1\npeople:\n  - {id: dana, name: Dana, roles: [manager], joined: 2024-01-01}\n")
    assert main(["policy", "check", str(path)]) == 0
    path.write_text("version: 1\npeople: []\n")
    assert main(["policy", "check", str(path)]) == 1
    assert "people" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"", b"model: [", b"model: .nan"])
def test_an_unreadable_file_is_an_error_not_a_crash(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, not UTF-8, empty, broken, not a number."""
    path = tmp_path / "policy.yaml"
    if content is not None:
        path.write_bytes(content)
    assert main(["policy", "check", str(path)]) == 1
    assert str(path) in capsys.readouterr().out


def test_no_file_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A pattern that matches nothing must not pass."""
    assert main(["policy", "check"]) == 1
    assert capsys.readouterr().err
