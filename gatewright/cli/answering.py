"""What the commands that sign share: the person at the terminal is asked, and an answer is brought to its run."""

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewright.cli.output import print_json
from gatewright.core.errors import ApprovalError
from gatewright.core.statements import Answer
from gatewright.services.reports.escape import plain

if TYPE_CHECKING:
    from gatewright.services.open_question import OpenQuestion
    from gatewright.services.release_records import AnswerRecord
    from gatewright.wiring import Services

__all__ = [
    "DONE",
    "MORE",
    "REFUSED",
    "Print",
    "Reason",
    "Wait",
    "Yes",
    "ask",
    "confirm",
    "deliver",
    "print_token",
    "refused",
]

DONE, REFUSED, MORE = 0, 2, 3
Reason = Annotated[str | None, Parameter(help="Why, in at least ten characters; it is kept for ever.")]
Yes = Annotated[bool, Parameter(name="--yes", negative="", help="Do not ask before signing.")]
Print = Annotated[
    bool, Parameter(name="--print", negative="", help="Print the line for the form's token field; resume nothing.")
]
Wait = Annotated[float, Parameter(help="Seconds to wait until the run has recorded the answer.")]


def ask(reason: str | None, question: str, *, yes: bool, quiet: bool) -> tuple[str, str]:
    """The reason, and what was said to ``question`` (empty with ``yes``).

    Raises ApprovalError when something is missing and nobody is there to be asked.
    """
    asks = sys.stdin.isatty() and not quiet
    if reason is None and asks:
        reason = _said("\nReason (at least ten characters): ")
    if reason is None or not (yes or asks):
        raise ApprovalError(
            "nobody is here to be asked.", where="terminal", remedy="give --reason TEXT and --yes on the command line."
        )
    return reason, "" if yes else _said(question).lower()


def confirm(reason: str | None, question: str, *, yes: bool, quiet: bool) -> str:
    """The reason, once the person has said yes to ``question``.

    Raises ApprovalError as `ask`, and for any other word.
    """
    reason, said = ask(reason, f"{question} [yes/no] ", yes=yes, quiet=quiet)
    if not yes and said not in ("y", "yes"):
        raise ApprovalError("nothing was signed.", where="terminal", remedy="answer `yes` to sign.")
    return reason


def _said(prompt: str) -> str:
    """What is typed; nothing where the input is closed."""
    try:
        return input(prompt).strip()
    except EOFError:
        return ""


def deliver(services: "Services", question: "OpenQuestion", answer: Answer, seconds: float) -> "AnswerRecord":
    """Resume the run that waits; what it recorded. Raises as `Delivery.deliver`."""
    from gatewright.services.delivery import Delivery
    from gatewright.services.prefect_api import PrefectApi, PrefectSettings

    prefect = PrefectApi.connect(PrefectSettings())
    delivery = Delivery(services.releases, services.ledger, services.pauses, prefect, seconds)
    return delivery.deliver(question.view.opening, question.request, answer)


def print_token(services: "Services", question: "OpenQuestion", answer: Answer, *, as_json: bool) -> int:
    """The line for the form, instead of resuming the run."""
    from gatewright.cli.question_page import question_facts

    if as_json:
        print_json(question_facts(question, services.now()) | {"answer": answer.model_dump()})
        return DONE
    print(f"\nResume the run, choose {answer.decision}, write {answer.approver} and the reason, and as the token:")
    print(answer.token)
    return DONE


def refused(error: ApprovalError) -> int:
    """Say why the answer does not count."""
    print(f"Refused: {plain(error.problem)}\n  remedy: {plain(error.remedy)}", file=sys.stderr)
    return REFUSED
