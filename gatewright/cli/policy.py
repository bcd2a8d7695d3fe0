"""``gatewright policy check``: is what a person wrote a valid policy or roster?"""

import re
from pathlib import Path

from cyclopts import App

from gatewright.cli.output import Json, print_json
from gatewright.core.errors import SpecError
from gatewright.core.policy import parse_rules
from gatewright.core.roster import Roster
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.text_files import read_text

__all__ = ["app", "check"]

app = App(name="policy", help="Work on policy files.")


@app.command
def check(*files: Path, as_json: Json = False) -> int:
    """Check policies, rule sets and rosters strictly; exit code 1 when any has an error.

    Parameters
    ----------
    files
        YAML files; one with a top-level ``people`` is read as a roster.
    """
    if not files:
        raise SpecError("no file was given.", where="command line", remedy="name at least one file.")
    problems = {str(path): _problem(path) for path in files}
    if as_json:
        print_json([{"file": path, "ok": error is None} | _described(error) for path, error in problems.items()])
    else:
        for path, error in problems.items():
            print(f"OK     {path}" if error is None else f"ERROR  {error}")
    return 1 if any(problems.values()) else 0


def _problem(path: Path) -> SpecError | None:
    try:
        text = read_text(path)
        if re.search(r"^people:", text, re.MULTILINE):
            parse_yaml(text, Roster, where=str(path))
        else:
            parse_rules(text, where=str(path))
    except SpecError as error:
        return error
    return None


def _described(error: SpecError | None) -> dict[str, str]:
    return {} if error is None else {"problem": error.problem, "where": error.where, "remedy": error.remedy}
