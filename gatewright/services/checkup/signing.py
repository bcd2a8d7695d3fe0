"""Can the pipeline sign, does the roster know its key, and can checkpoints be written?"""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from gatewright.core.roster import Machine, Roster
from gatewright.services.checkup.finding import Finding
from gatewright.services.ssh_signatures import SshSigner

__all__ = ["look_at_checkpoints", "look_at_key"]

_PART = "pipeline key"
_GIT_SECONDS = 30


def look_at_key(key: Path | None, roster: Callable[[], Roster], now: datetime) -> Iterator[Finding]:
    """The file is looked at before the roster is asked for.

    Raises SigningError for a key that cannot be used, or that others may read; whatever ``roster`` raises.
    """
    public = SshSigner(key).public_key if key else None
    known = roster()
    named = [machine for machine in known.machines if machine.role == "pipeline"]
    if key is None or public is None:
        yield _no_key(expected=bool(named))
    elif public in known.machine_keys("pipeline", now):
        yield Finding(_PART, "OK", f"{key}, in the roster")
    else:
        yield _not_in_force(key, public, named)


def look_at_checkpoints(directory: Path | None) -> Iterator[Finding]:
    """A directory that can be written; a git work tree keeps what was there before."""
    part = "checkpoints"
    if directory is None:
        yield Finding(part, "WARN", "none are kept outside the store", "set GATEWRIGHT_CHECKPOINTS: docs/audit.md.")
    elif not directory.is_dir():
        yield Finding(part, "FAIL", f"{directory} is no directory", f"mkdir -p {directory}")
    elif not os.access(directory, os.W_OK | os.X_OK):
        yield Finding(part, "FAIL", f"{directory} cannot be written", "give the pipeline's user the right to write.")
    else:
        kind = "a git work tree" if _in_git(directory) else "a plain directory"
        yield Finding(part, "OK", f"{directory}, {kind}")


def _no_key(*, expected: bool) -> Finding:
    remedy = "set GATEWRIGHT_PIPELINE_KEY: docs/security.md says how."
    if expected:
        return Finding(_PART, "FAIL", "none, but the roster names a pipeline", remedy)
    return Finding(_PART, "WARN", "none: nothing is sealed", remedy)


def _not_in_force(key: Path, public: str, named: list[Machine]) -> Finding:
    ours = [one for machine in named for one in machine.keys if one.key == public]
    if not ours:
        return Finding(
            _PART, "FAIL", f"{key} is not in the roster", "add its .pub line to a machine with the role `pipeline`."
        )
    if ours[0].revoked is not None:
        when = f"{ours[0].revoked:%Y-%m-%d %H:%M} UTC"
        return Finding(_PART, "FAIL", f"{key} was revoked on {when}", "make a new key and put it into the roster.")
    return Finding(_PART, "FAIL", f"{key} counts from {ours[0].added} on", "wait, or correct `added` in the roster.")


def _in_git(directory: Path) -> bool:
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), "rev-parse", "--is-inside-work-tree"],
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
