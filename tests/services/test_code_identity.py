"""Code and environment are named exactly, or the release does not start."""

import hashlib
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from gatewright.core.errors import SpecError
from gatewright.services.code_identity import code_revision, environment_sha256, library_versions


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "model.py").write_text("a = 1\n")
    git(tmp_path, "add", "model.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_clean_checkout_is_named_by_its_commit(repository: Path) -> None:
    """The revision is what `git rev-parse HEAD` says."""
    assert code_revision(repository) == git(repository, "rev-parse", "HEAD")


def test_a_changed_tracked_file_makes_the_revision_dirty(repository: Path) -> None:
    """Code that is not the commit must not pass for it."""
    (repository / "model.py").write_text("a = 2\n")
    assert code_revision(repository) == git(repository, "rev-parse", "HEAD") + "+dirty"


def test_a_staged_change_makes_the_revision_dirty(repository: Path) -> None:
    """Adding a file to the index does not make it part of the commit."""
    (repository / "new.py").write_text("b = 1\n")
    git(repository, "add", "new.py")
    assert code_revision(repository).endswith("+dirty")


def test_an_untracked_file_leaves_the_revision_clean(repository: Path) -> None:
    """Outputs beside the code do not change the code."""
    (repository / "output.log").write_text("x")
    assert not code_revision(repository).endswith("+dirty")


def test_a_directory_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    """The error names the directory and how to go on."""
    with pytest.raises(SpecError, match="not a git repository") as caught:
        code_revision(tmp_path)
    assert caught.value.where == str(tmp_path)
    assert "GATEWRIGHT_CODE_REVISION" in caught.value.remedy


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    """There is no revision to name yet."""
    git(tmp_path, "init", "-q")
    with pytest.raises(SpecError):
        code_revision(tmp_path)


def test_the_environment_is_the_digest_of_the_lock_file(tmp_path: Path) -> None:
    """Anyone can recompute it with sha256sum."""
    (tmp_path / "requirements.lock").write_bytes(b"numpy==2.4.6\n")
    assert environment_sha256(tmp_path) == hashlib.sha256(b"numpy==2.4.6\n").hexdigest()


def test_a_missing_lock_file_is_refused(tmp_path: Path) -> None:
    """Without a lock nobody could rebuild the environment."""
    with pytest.raises(SpecError, match="lock file"):
        environment_sha256(tmp_path)


def test_the_versions_are_those_installed() -> None:
    """They come from the installed distributions, not from what was asked for."""
    assert library_versions()["scikit-learn"] == version("scikit-learn")
    assert "not installed" not in library_versions().values()
