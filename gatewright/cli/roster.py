"""``gatewright roster``: compare and sign rosters, and tell what is and was in force. ``policy check`` checks them."""

from pathlib import Path

from cyclopts import App

from gatewright.cli import governed
from gatewright.cli.answering import Reason, Yes
from gatewright.cli.output import Json
from gatewright.cli.signing import DEFAULT_KEY, Key
from gatewright.core.governed import ROSTER_NAME

__all__ = ["app", "diff", "history", "in_force", "sign"]

app = App(name="roster", help="Compare and sign rosters; see what is and was in force.")


@app.command
def diff(old: Path, new: Path, /, *, as_json: Json = False) -> int:
    """Say of each change whether more or fewer may sign; exit code 2 when anything loosens, 0 otherwise.

    Example: gatewright roster diff policies/roster.yaml proposed.yaml

    Parameters
    ----------
    old
        A roster file.
    new
        The roster file that is to replace it.
    """
    from gatewright.core.roster_diff import diff as changes

    return governed.print_diff(changes(governed.read_roster(old), governed.read_roster(new)), as_json=as_json)


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
    """Sign a roster as the next version; it is in force when enough owners have signed the same file.

    Shows what changes, and asks. Exit code 0 in force, 3 when more owners must sign.

    Example: gatewright roster sign policies/roster.yaml --key ~/.ssh/id_ed25519 --reason "Sam has left."

    Parameters
    ----------
    file
        The new roster, its ``version`` one higher than the one in force.
    """
    from gatewright.wiring import connect

    roster = governed.read_roster(file)
    return governed.sign(
        connect(), "roster", ROSTER_NAME, roster, key=key, principal=person, reason=reason, yes=yes, as_json=as_json
    )


@app.command
def history(*, as_json: Json = False) -> int:
    """List every version of the roster: since when, who signed it and why, and what it loosened.

    Example: gatewright roster history
    """
    from gatewright.wiring import connect

    return governed.print_history(connect(), "roster", ROSTER_NAME, as_json=as_json)


@app.command
def in_force(*, at: governed.At = None, as_json: Json = False) -> int:
    """Print the roster in force, as YAML that can be read again.

    Example: gatewright roster in-force --at 2026-03-02
    """
    from gatewright.wiring import connect

    return governed.print_in_force(connect(), "roster", ROSTER_NAME, at, as_json=as_json)
