"""Read what a person wrote: policies, rosters, specs."""

from pathlib import Path

from gatewright.core.errors import SpecError
from gatewright.core.policy import RuleSet, parse_rules

__all__ = ["read_rules", "read_text"]


def read_text(path: Path, *, remedy: str = "name a readable UTF-8 file.") -> str:
    """The text of a UTF-8 file. Raises SpecError for a file that cannot be read as such."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot be read: {error}.", where=str(path), remedy=remedy) from None


def read_rules(path: Path) -> RuleSet:
    """A policy or a short rule set. Raises SpecError as `read_text` and `parse_rules`."""
    return parse_rules(read_text(path), where=str(path))
