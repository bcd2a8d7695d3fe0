"""What was found of one part, and what to do about it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from gatewright.core.errors import GatewrightError
from gatewright.core.redaction import redacted

__all__ = ["Check", "Finding", "Status", "look"]

Status = Literal["OK", "WARN", "FAIL"]


@dataclass(frozen=True)
class Finding:
    """``remedy`` is empty where nothing is to be done."""

    part: str
    status: Status
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """A part of the installation, and how it is looked at."""

    part: str
    look: Callable[[], Iterable[Finding]]


def look(checks: Iterable[Check]) -> Iterator[Finding]:
    """All findings, in the order of the checks; what a check raises is its last finding.

    One cause is told once: what another part has failed of before is named by that part.
    """
    told: dict[str, str] = {}
    for check in checks:
        try:
            yield from check.look()
        except GatewrightError as error:
            yield _raised(check.part, error, told.setdefault(error.remedy, check.part))
        except Exception as error:  # noqa: BLE001 - a broken part must not stop the others from being looked at
            yield Finding(check.part, "FAIL", redacted(f"{type(error).__name__}: {error}")[:300], "report this.")


def _raised(part: str, error: GatewrightError, first: str) -> Finding:
    if first != part:
        return Finding(part, "FAIL", f"cannot be told: the same as {first}")
    return Finding(part, "FAIL", redacted(f"{error.problem} ({error.where})"), redacted(error.remedy))
