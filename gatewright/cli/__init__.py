"""The command line: thin, one function a command. Services are imported inside commands, so that help is quick.

Exit codes: 0 pass, 1 error (of the call, the store or a file), 2 blocked, 3 waiting.
"""

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from gatewright import __version__
from gatewright.cli import (
    abandon,
    approve,
    break_glass,
    changelog,
    check,
    doctor,
    documents,
    drift,
    explain,
    export,
    lineage,
    new,
    notices,
    policy,
    release_diff,
    releases,
    rollback,
    roster,
    schema,
    serve,
    show,
    validate,
    verify,
    waive,
    watch,
)
from gatewright.core.errors import GatewrightError
from gatewright.services.reports.escape import plain

__all__ = ["app", "main"]

ERROR = 1

app = App(
    name="gatewright",
    help="Decides whether a machine-learning model may be released, proves the decision, and can take it back.",
    version=__version__,
)
app.command(check.check)
app.command(drift.drift)
app.command(validate.validate)
app.command(releases.releases)
app.command(show.show)
app.command(explain.explain_release, name="explain")
app.command(release_diff.diff)
app.command(releases.history)
app.command(changelog.changelog)
app.command(rollback.rollback)
app.command(watch.watch)
app.command(documents.documents)
app.command(lineage.lineage)
app.command(schema.schema)
app.command(new.new)
app.command(notices.notices)
app.command(doctor.doctor)
app.command(serve.serve)
app.command(approve.approve)
app.command(approve.reject)
app.command(break_glass.break_glass)
app.command(waive.waive)
app.command(waive.waivers)
app.command(verify.verify)
app.command(export.export)
app.command(abandon.abandon)
app.command(policy.app)
app.command(roster.app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Known problems become one message, never a traceback."""
    try:
        code = app(arguments, exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError:
        # Cyclopts has printed what is wrong; its own exit code, 2, means "blocked" here.
        return ERROR
    except GatewrightError as error:
        print(_message(error), file=sys.stderr)
        return ERROR
    except BrokenPipeError:
        # Whoever read us, such as `head`, has enough; the interpreter must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    return code if isinstance(code, int) else 0


def _message(error: GatewrightError) -> str:
    """Names in files may hold control characters, which could move the cursor."""
    problem, where, remedy = map(plain, (error.problem, error.where, error.remedy))
    return f"Error: {problem}\n  where:  {where}\n  remedy: {remedy}"
