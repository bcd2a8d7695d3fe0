"""``gatewright approve`` and ``reject``: read the verified evidence, sign the answer, bring it to the run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewright.cli.find import find_release
from gatewright.cli.output import Json, print_json
from gatewright.cli.signing import DEFAULT_KEY, Key, SigningPerson, signing_person
from gatewright.core.errors import ApprovalError
from gatewright.core.statements import Answer, Approval, Choice, Request, statement_for
from gatewright.services.reports.escape import plain

if TYPE_CHECKING:
    from gatewright.services.open_question import OpenQuestion
    from gatewright.wiring import Services

__all__ = ["approve", "reject"]

DONE, ERROR, REFUSED, MORE = 0, 1, 2, 3
Reason = Annotated[str | None, Parameter(help="Why, in at least ten characters; it is kept for ever.")]
Yes = Annotated[bool, Parameter(name="--yes", negative="", help="Do not ask whether to go on.")]
Print = Annotated[
    bool, Parameter(name="--print", negative="", help="Print the line for the form's token field; resume nothing.")
]
Wait = Annotated[float, Parameter(help="Seconds to wait until the run has recorded the answer.")]


def approve(
    release: str,
    /,
    *,
    key: Key = DEFAULT_KEY,
    reason: Reason = None,
    yes: Yes = False,
    only_print: Print = False,
    wait: Wait = 180,
    as_json: Json = False,
) -> int:
    """Verify a waiting release's evidence, show it, sign the approval and resume the run.

    Exit code 0 done, 1 error, 2 the answer was refused, 3 more approvals are needed.

    Example: gatewright approve crash_triage-2001-1 --key ~/.ssh/id_ed25519

    Parameters
    ----------
    release
        A release id or a model's SHA-256, or the beginning of either.
    """
    return _answer("approve", release, key, reason, yes=yes, only_print=only_print, wait=wait, as_json=as_json)


def reject(
    release: str,
    /,
    *,
    key: Key = DEFAULT_KEY,
    reason: Reason = None,
    yes: Yes = False,
    only_print: Print = False,
    wait: Wait = 180,
    as_json: Json = False,
) -> int:
    """Verify a waiting release's evidence, show it, sign the rejection and resume the run, which then ends.

    Exit code 0 done, 1 error, 2 the answer was refused.

    Example: gatewright reject crash_triage-2001-1 --reason "The recall of the oldest fell."

    Parameters
    ----------
    release
        A release id or a model's SHA-256, or the beginning of either.
    """
    return _answer("reject", release, key, reason, yes=yes, only_print=only_print, wait=wait, as_json=as_json)


def _answer(
    choice: Choice,
    release: str,
    key: Path,
    reason: str | None,
    *,
    yes: bool,
    only_print: bool,
    wait: float,
    as_json: bool,
) -> int:
    from gatewright.cli.question_page import print_question
    from gatewright.services.open_question import open_question
    from gatewright.wiring import connect

    services = connect()
    question = open_question(services.releases, find_release(services, release))
    if not as_json:
        print_question(question, services.now())
    signing = signing_person(services, key)
    choice, reason = _decided(choice, reason, signing, question.request, yes=yes, quiet=as_json)
    try:
        answer = _signed(services, question, signing, choice, reason)
        if only_print:
            return _printed(services, question, answer, as_json=as_json)
        approval = _delivered(services, question, answer, wait)
    except ApprovalError as error:
        print(f"Refused: {plain(error.problem)}\n  remedy: {plain(error.remedy)}", file=sys.stderr)
        return REFUSED
    return _told(services, question, approval, as_json=as_json)


def _decided(
    choice: Choice, reason: str | None, signing: SigningPerson, request: Request, *, yes: bool, quiet: bool
) -> tuple[Choice, str]:
    """What the person at the terminal says; whatever is missing where nobody can be asked is an error."""
    asks = sys.stdin.isatty() and not quiet
    if reason is None and asks:
        reason = input("\nReason (at least ten characters): ").strip()
    if reason is None or not (yes or asks):
        raise ApprovalError(
            "nobody is here to be asked.", where="terminal", remedy="give --reason TEXT and --yes on the command line."
        )
    if not yes:
        choice = _confirmed(choice, signing, request)
    return choice, reason


def _confirmed(choice: Choice, signing: SigningPerson, request: Request) -> Choice:
    said = input(f"Sign as {signing.person.id}: {choice} {request.release_id}? [{choice}/no] ").strip().lower()
    if said in (choice, "y", "yes"):
        return choice
    other: Choice = "reject" if choice == "approve" else "approve"
    if said == other:
        return other
    raise ApprovalError("nothing was signed.", where="terminal", remedy=f"answer `{choice}` to sign.")


def _signed(
    services: "Services", question: "OpenQuestion", signing: SigningPerson, choice: Choice, reason: str
) -> Answer:
    """The answer, checked by the rules the run will check it by: so a mistake is told before it is sent."""
    from gatewright.core.approval import accept
    from gatewright.core.signatures import APPROVAL

    request = question.request
    now = services.now()
    statement = statement_for(request, principal=signing.person.id, meaning=choice, reason=reason, issued=now)
    answer = Answer(
        decision=choice,
        approver=signing.person.id,
        reason=reason,
        token=signing.token(statement, namespace=APPROVAL),
    )
    rosters = (services.releases.roster(question.view.opening), services.roster())
    accept(
        answer, request, rosters, services.signatures, pause=None, at=services.now(), earlier=question.view.approvals
    )
    return answer


def _delivered(services: "Services", question: "OpenQuestion", answer: Answer, seconds: float) -> Approval:
    from gatewright.services.delivery import Delivery
    from gatewright.services.prefect_api import PrefectApi, PrefectSettings

    prefect = PrefectApi.connect(PrefectSettings())
    delivery = Delivery(services.releases, services.ledger, services.pauses, prefect, seconds)
    return delivery.deliver(question.view.opening, question.request, answer)


def _printed(services: "Services", question: "OpenQuestion", answer: Answer, *, as_json: bool) -> int:
    if as_json:
        print_json(_facts(services, question) | {"answer": answer.model_dump()})
        return DONE
    print(
        f"\nResume the run, choose {answer.decision}, write {answer.approver} and the reason, and paste as the token:"
    )
    print(answer.token)
    return DONE


def _told(services: "Services", question: "OpenQuestion", approval: Approval, *, as_json: bool) -> int:
    given = {a.principal for a in services.releases.approvals(question.request.release_id) if a.decision == "approve"}
    missing = max(0, question.request.tier.approvals - len(given)) if approval.decision == "approve" else 0
    if as_json:
        recorded = approval.model_dump(mode="json", exclude={"proof"})
        print_json(_facts(services, question) | {"recorded": recorded, "approvals_missing": missing})
    else:
        print(f"\nRecorded: {approval.decision} by {approval.principal} as {approval.role} ({approval.assurance}).")
        if missing:
            print(f"{missing} more {'approval is' if missing == 1 else 'approvals are'} needed.")
    return MORE if missing else DONE


def _facts(services: "Services", question: "OpenQuestion") -> dict[str, Any]:
    from gatewright.cli.question_page import question_facts

    return question_facts(question, services.now())
