"""``gatewright policy``: check, compare and sign policies, and tell what is and was in force."""

from pathlib import Path

from cyclopts import App

from gatewright.cli import backtest, governed, review
from gatewright.cli.answering import Reason, Yes
from gatewright.cli.find import ModelName
from gatewright.cli.output import Json, print_json
from gatewright.cli.signing import DEFAULT_KEY, Key
from gatewright.core.errors import SpecError
from gatewright.core.policy_review import parse_governed
from gatewright.services.text_files import read_text

__all__ = ["app", "check", "diff", "history", "in_force", "sign"]

app = App(name="policy", help="Check, compare, try and sign policies; see what is and was in force.")
app.command(backtest.backtest)
app.command(backtest.whatif)
app.command(backtest.evidence)
app.command(review.review)


@app.command
def check(*files: Path, as_json: Json = False) -> int:
    """Check policies, rule sets and rosters strictly; exit code 1 when any has an error.

    Example: gatewright policy check policies/crash_triage.yaml policies/roster.yaml

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


@app.command
def diff(old: Path, new: Path, /, *, as_json: Json = False) -> int:
    """Say of each change whether it loosens or tightens; exit code 2 when anything loosens, 0 otherwise.

    What cannot be told counts as loosened.

    Example: gatewright policy diff policies/crash_triage.yaml proposed.yaml

    Parameters
    ----------
    old
        A policy file.
    new
        The policy file that is to replace it.
    """
    from gatewright.core.policy_diff import diff as changes

    return governed.print_diff(changes(governed.read_policy(old), governed.read_policy(new)), as_json=as_json)


@app.command
def sign(
    file: Path,
    /,
    *,
    key: Key = DEFAULT_KEY,
    reason: Reason = None,
    person: governed.As = None,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Sign a policy as the next version; it is in force when enough owners have signed the same file.

    Shows what changes, and asks. Exit code 0 in force, 3 when more owners must sign.

    Example: gatewright policy sign policies/crash_triage.yaml --key ~/.ssh/id_ed25519 --reason "Floor raised."

    Parameters
    ----------
    file
        The new policy, its ``version`` one higher than the one in force.
    """
    from gatewright.wiring import connect

    policy = governed.read_policy(file)
    return governed.sign(
        connect(), "policy", policy.model, policy, key=key, principal=person, reason=reason, yes=yes, as_json=as_json
    )


@app.command
def history(model: ModelName, /, *, as_json: Json = False) -> int:
    """List every version of a model's policy: since when, who signed it and why, and what it loosened.

    Example: gatewright policy history crash_triage
    """
    from gatewright.wiring import connect

    return governed.print_history(connect(), "policy", model, as_json=as_json)


@app.command
def in_force(model: ModelName, /, *, at: governed.At = None, as_json: Json = False) -> int:
    """Print the policy in force, as YAML that can be read again.

    Example: gatewright policy in-force crash_triage --at 2026-03-02
    """
    from gatewright.wiring import connect

    return governed.print_in_force(connect(), "policy", model, at, as_json=as_json)


def _problem(path: Path) -> SpecError | None:
    try:
        parse_governed(read_text(path), where=str(path))
    except SpecError as error:
        return error
    return None


def _described(error: SpecError | None) -> dict[str, str]:
    return {} if error is None else {"problem": error.problem, "where": error.where, "remedy": error.remedy}
