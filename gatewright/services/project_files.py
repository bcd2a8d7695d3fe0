"""The files that a model spec names, its policy and its suites: only those of the project.

Whoever writes a spec must not have whatever file the pipeline can read quoted in an error or kept as evidence.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gatewright.core.errors import SpecError
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import line_of, parse_yaml
from gatewright.services.text_files import read_text

__all__ = ["ProjectFiles"]

_Key = tuple[str, ...]


@dataclass(frozen=True)
class ProjectFiles:
    """``root`` is the checkout, ``models`` the folder of models, which may lie elsewhere."""

    root: Path
    models: Path

    def spec(self, file: Path) -> ModelSpec:
        """The model spec in ``file``.

        Raises SpecError as `parse_yaml`, and with the line for a policy or suite outside the project.
        """
        text = read_text(file, remedy="create the file as UTF-8 text.")
        spec = parse_yaml(text, ModelSpec, where=str(file))
        for key, named in _named(spec):
            if not self._holds(named):
                raise _outside(key, named, f"{file}:{line_of(text, key, where=str(file))}")
        return spec

    def path(self, key: str, named: str) -> Path:
        """Where the file is that a spec names under ``key``. Raises SpecError unless it is one of the project."""
        if not self._holds(named):
            raise _outside(tuple(key.split(".")), named, f"model spec, `{key}`")
        return self.root / named

    def _holds(self, named: str) -> bool:
        """Whether it is below one of the folders, all links followed; hidden files hold settings and keys."""
        try:
            real = Path(os.path.realpath(self.root / named))
            folders = [Path(os.path.realpath(folder)) for folder in (self.root, self.models)]
        except (OSError, ValueError):  # a NUL in the name
            return False
        inside = [real.relative_to(folder) for folder in folders if real.is_relative_to(folder)]
        return any(path.parts and not any(part.startswith(".") for part in path.parts) for path in inside)


def _named(spec: ModelSpec) -> Iterator[tuple[_Key, str]]:
    yield ("policy",), spec.policy
    for part, path in spec.suites.items():
        yield ("suites", part), path


def _outside(key: _Key, named: str, where: str) -> SpecError:
    return SpecError(
        f"`{'.'.join(key)}` names a file outside the project, or a hidden one: {named[:120]!a}.",
        where=where,
        remedy="name a file below the checkout (GATEWRIGHT_ROOT), relative to it, such as `policies/NAME.yaml`.",
    )
