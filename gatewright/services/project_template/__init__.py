"""A new model project from templates, complete and on sample data, so that every command runs on it at once."""

import keyword
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gatewright.core.errors import SpecError
from gatewright.core.schemas import SCHEMAS, file_name, schema_text
from gatewright.core.spec import Task
from gatewright.services.project_template.sample_data import PERIODS, sample_data
from gatewright.services.text_files import write_new

__all__ = ["TASKS", "create_project"]

# In the order in which they are told.
TASKS: tuple[Task, ...] = ("binary_classification", "multiclass_classification", "regression")
# It becomes a Python package and a part of object keys.
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}", re.ASCII)
_TEMPLATES = {
    "examples/{name}/README.md": "README.md.j2",
    "examples/{name}/model.yaml": "model.yaml.j2",
    "examples/{name}/training.py": "training.py.j2",
    "expectations/{name}/training.json": "training.json.j2",
    "expectations/{name}/evaluation.json": "evaluation.json.j2",
    "policies/{name}.yaml": "policy.yaml.j2",
}
# Shared by all models of a repository: made for the first one.
_SHARED = {"policies/roster.yaml": "roster.yaml.j2"}


def create_project(name: str, task: Task, root: Path) -> tuple[Path, ...]:
    """Write model ``name`` below ``root``; returns the new files, relative to it.

    Raises SpecError for a name that is no plain word, and when any file of the model exists: none is ever
    overwritten. Roster, schemas and ``examples/__init__.py``, which all models share, are left as they are.
    """
    _require_name(name)
    texts = {path.format(name=name): _rendered(template, name, task) for path, template in _TEMPLATES.items()}
    data = {f"examples/{name}/data/{period}.parquet": body for period, body in sample_data(task).items()}
    own = {**_bytes(texts), f"examples/{name}/__init__.py": b"", **data}
    _require_absent(root, name, own)
    shared = {path: _rendered(template, name, task) for path, template in _SHARED.items()}
    shared |= {f"schemas/{file_name(kind)}": schema_text(kind) for kind in SCHEMAS} | {"examples/__init__.py": ""}
    missing = {path: body for path, body in _bytes(shared).items() if not (root / path).exists()}
    for path, body in (missing | own).items():
        write_new(root / path, body)
    return tuple(sorted(Path(path) for path in missing | own))


def _require_name(name: str) -> None:
    if _NAME.fullmatch(name) and not keyword.iskeyword(name):
        return
    raise SpecError(
        "this is no name of a model.",
        where=repr(name[:60]),
        remedy="take 2 to 41 lower-case letters, digits and underscores, a letter first, as in `house_price`.",
    )


def _require_absent(root: Path, name: str, files: Mapping[str, bytes]) -> None:
    places = [f"examples/{name}", f"expectations/{name}", *files]
    there = next((path for path in places if (root / path).exists() or (root / path).is_symlink()), None)
    if there is not None:
        raise SpecError(
            "it exists already, and nothing is overwritten.",
            where=str(root / there),
            remedy="choose another name or another --dir.",
        )


def _rendered(template: str, name: str, task: Task) -> str:
    return _templates().get_template(template).render(name=name, task=task, periods=PERIODS)


def _bytes(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in texts.items()}


@cache
def _templates() -> Environment:
    # YAML, Python and JSON are no HTML: the only thing put in that people wrote is the name, a plain word.
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
