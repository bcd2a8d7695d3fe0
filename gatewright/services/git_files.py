"""What a git work tree has changed since a commit, and how files read then."""

import subprocess
from pathlib import Path

from gatewright.core.errors import SpecError

__all__ = ["GitFiles"]

_SECONDS = 60


class GitFiles:
    """The files of a work tree against the commit where ``base`` and what is checked out part."""

    def __init__(self, root: Path, base: str) -> None:
        """Raises SpecError outside of git, and for a base that is unknown or has no history in common."""
        self._root = Path(_run(root, "rev-parse", "--show-toplevel").strip())
        # The name of a branch may look like an option; from here on only the commit's own name is used.
        tip = _run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").strip()
        self._base = _run(root, "merge-base", tip, "HEAD").strip()

    def changed(self, folder: str) -> list[str]:
        """Paths below ``folder`` that differ from the base, relative to the work tree's root, sorted."""
        # Without renames: a moved policy is one that is gone and one that is new.
        tracked = self._git("diff", "--name-only", "--no-renames", "-z", self._base, "--", folder)
        new = self._git("ls-files", "--others", "--exclude-standard", "-z", "--", folder)
        return sorted({path for path in (tracked + new).split("\0") if path})

    def before(self, path: str) -> str | None:
        """The text at the base, None when there was no such file. Raises SpecError when it is not UTF-8."""
        listed = self._git("ls-tree", "--name-only", "-z", "--full-tree", self._base, "--", path)
        return self._git("show", f"{self._base}:{path}") if listed else None

    def now(self, path: str) -> Path | None:
        """The file as it is checked out, None when it is gone."""
        file = self._root / path
        return file if file.is_file() and not file.is_symlink() else None

    def _git(self, *arguments: str) -> str:
        # Pathspecs are names here, never patterns.
        return _run(self._root, "--literal-pathspecs", *arguments)


def _run(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=_SECONDS).stdout.decode()
    except UnicodeDecodeError:
        problem = "git shows text that is not UTF-8"
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", b"") or b""
        problem = said.decode(errors="replace").strip().partition("\n")[0] or f"`git {arguments[0]}` failed"
    raise SpecError(
        f"{problem}.",
        where=str(root),
        remedy="run it in the repository, with its history (`fetch-depth: 0` in CI), and name a commit or branch.",
    )
