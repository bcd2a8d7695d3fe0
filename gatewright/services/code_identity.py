"""Which code and which environment: the git commit, the lock file's digest, the versions that matter."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gatewright.core.errors import SpecError
from gatewright.core.records import sha256_hex

__all__ = ["LOCK_FILE", "code_revision", "environment_sha256", "library_versions"]

LOCK_FILE = "requirements.lock"
# These decide what a model computes and what its checks measure.
LIBRARIES = (
    "fairlearn", "great-expectations", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops",
)  # fmt: skip


def code_revision(root: Path) -> str:
    """The git commit of ``root`` (40 hexadecimal digits), with ``+dirty`` when tracked files differ from it.

    Raises SpecError when ``root`` is not in a git repository or has no commit.
    """
    revision = _git(root, "rev-parse", "--verify", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{revision}+dirty" if changed else revision


def environment_sha256(root: Path) -> str:
    """SHA-256 of ``root``/requirements.lock. Raises SpecError when there is none."""
    path = root / LOCK_FILE
    try:
        return sha256_hex(path.read_bytes())
    except OSError as error:
        raise SpecError(
            f"cannot read the dependency lock file: {error.strerror}.",
            where=str(path),
            remedy="run from the project's directory, where the lock file is committed.",
        ) from None


def library_versions() -> dict[str, str]:
    """Installed versions of the libraries that shape models and checks; one not installed says so."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().partition("\n")[0]
        raise SpecError(
            f"the code revision cannot be told: {said}.",
            where=str(root),
            remedy="run in a git checkout with at least one commit, or set GATEWRIGHT_CODE_REVISION.",
        ) from None
    return done.stdout.strip()
