"""``gatewright new``: a model project that runs at once, on sample data."""

from pathlib import Path
from typing import Literal

from gatewright.cli.output import Json, print_json
from gatewright.services.reports.escape import plain

__all__ = ["new"]


def new(
    name: str,
    /,
    *,
    task: Literal["binary_classification", "multiclass_classification", "regression"] = "binary_classification",
    dir: Path = Path("."),
    as_json: Json = False,
) -> int:
    """Begin a model: spec, training, suites, policy, roster and sample data, on which every command runs at once.

    Nothing that exists is overwritten.

    Example: gatewright new house_price --task regression

    Parameters
    ----------
    name
        What the model is called: lower-case letters, digits and underscores.
    task
        What it predicts: one of two classes, one of several, or a number.
    dir
        Where to put it: the root of the repository, by default where you are.
    """
    from gatewright.services.project_template import create_project

    made = create_project(name, task, dir)
    if as_json:
        print_json({"model": name, "task": task, "dir": str(dir), "files": [str(path) for path in made]})
        return 0
    print(f"{name}: a {task.replace('_', ' ')} on sample data, in {plain(dir.resolve())}")
    print("\n".join(f"  {path}" for path in made))
    print(f"\nNext: the five commands of {dir / 'examples' / name / 'README.md'}, the first of which is")
    print(f"  gatewright policy check {dir / 'policies' / name}.yaml")
    return 0
