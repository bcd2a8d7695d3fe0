"""Read what a person wrote: policies, rosters, specs; write what a person asked for: reports, projects."""

from pathlib import Path
from typing import Literal

from gatewright.core.errors import SpecError
from gatewright.core.policy import RuleSet, parse_rules

__all__ = ["read_rules", "read_text", "write_file", "write_new"]


def read_text(path: Path, *, remedy: str = "name a readable UTF-8 file.") -> str:
    """The text of a UTF-8 file. Raises SpecError for a file that cannot be read as such."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot be read: {error}.", where=str(path), remedy=remedy) from None


def read_rules(path: Path) -> RuleSet:
    """A policy or a short rule set. Raises SpecError as `read_text` and `parse_rules`."""
    return parse_rules(read_text(path), where=str(path))


def write_file(path: Path, content: str | bytes, *, folders: bool = False) -> None:
    """Write text as UTF-8, or bytes; with ``folders`` those above it too. Raises SpecError where it cannot be."""
    _write(path, content, "wb", folders=folders)


def write_new(path: Path, content: str | bytes) -> None:
    """With the folders above; SpecError too where anything is at ``path`` already, even a link that leads nowhere."""
    _write(path, content, "xb", folders=True)


def _write(path: Path, content: str | bytes, mode: Literal["wb", "xb"], *, folders: bool) -> None:
    body = content.encode() if isinstance(content, str) else content
    try:
        if folders:
            path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode) as file:
            file.write(body)
    except OSError as error:
        raise SpecError(
            f"cannot be written: {error.strerror}.", where=str(path), remedy="name a path where you may write."
        ) from None
