"""``gatewright approve`` and ``reject``: read the verified evidence, sign the answer, bring it to the run."""

from pathlib import Path
from typing import TYPE_CHECKING

from gatewright.cli.answering import DONE, MORE, Print, Reason, Wait, Yes, ask, deliver, print_token, refused
from gatewright.cli.find import ReleaseName, find_release
from gatewright.cli.output import Json, print_json
from gatewright.cli.signing import DEFAULT_KEY, Key, SigningPerson, signing_person
from gatewright.core.errors import ApprovalError
from gatewright.core.statements import Answer, Approval, Choice, missing_approvals, statement_for

if TYPE_CHECKING:
    from gatewright.services.open_question import OpenQuestion
    from gatewright.wiring import Services

__all__ = ["approve", "reject"]


def approve(
    release: ReleaseName,
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
    """
    return _answer("approve", release, key, reason, yes=yes, only_print=only_print, wait=wait, as_json=as_json)


def reject(
    release: ReleaseName,
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
    """
    return _answer("reject", release, key, reason, yes=yes, only_print=only_print, wait=wait, as_json=as_json)


def _answer(
    choice: Choice,
    release: ReleaseName,
    key: Path,
    reason: str | None,
    *,
    yes: bool,
    only_print: bool,
    wait: float,
    as_json: bool,
) -> int:
    from gatewright.cli.question_page import print_question
    from gatewright.services.late_approval import record_late
    from gatewright.services.open_question import open_question
    from gatewright.wiring import connect

    services = connect()
    question = open_question(services.releases, find_release(services, release))
    if not as_json:
        print_question(question, services.now())
    signing = signing_person(services, key)
    sentence = f"Sign as {signing.person.id}: {choice} {question.request.release_id}? [{choice}/no] "
    reason, said = ask(reason, sentence, yes=yes, quiet=as_json)
    choice = choice if yes else _chosen(choice, said)
    try:
        answer, approval = _signed(services, question, signing, choice, reason)
        if only_print:
            return print_token(services, question, answer, as_json=as_json)
        if question.late:
            record_late(services.releases, question.view.opening, approval)
        else:
            approval = deliver(services, question, answer, wait).approval or approval
    except ApprovalError as error:
        return refused(error)
    return _told(services, question, approval, as_json=as_json)


def _chosen(choice: Choice, said: str) -> Choice:
    """Having read the page people may turn one answer into the other."""
    if said in (choice, "y", "yes"):
        return choice
    other: Choice = "reject" if choice == "approve" else "approve"
    if said == other:
        return other
    raise ApprovalError("nothing was signed.", where="terminal", remedy=f"answer `{choice}` to sign.")


def _signed(
    services: "Services", question: "OpenQuestion", signing: SigningPerson, choice: Choice, reason: str
) -> tuple[Answer, Approval]:
    """The answer, checked by the rules the run will check it by: so a mistake is told before it is sent."""
    from gatewright.core.approval import accept
    from gatewright.core.signatures import APPROVAL

    if question.late and choice == "reject":
        raise ApprovalError("it serves already.", where="release", remedy="roll it back.")
    request, name = question.request, signing.person.id
    said = statement_for(request, principal=name, meaning=choice, reason=reason, issued=services.now())
    token = signing.token(said, namespace=APPROVAL)
    answer = Answer(decision=choice, approver=name, reason=reason, token=token)
    rosters = (services.releases.roster(question.view.opening), services.roster())
    earlier = question.view.approvals
    at = services.now()
    return answer, accept(answer, request, rosters, services.signatures, pause=None, at=at, earlier=earlier)


def _told(services: "Services", question: "OpenQuestion", approval: Approval, *, as_json: bool) -> int:
    from gatewright.cli.question_page import question_facts

    given = services.releases.approvals(question.request.release_id)
    missing = missing_approvals(given, question.request) if approval.decision == "approve" else 0
    if as_json:
        recorded = approval.model_dump(mode="json", exclude={"proof"})
        facts = question_facts(question, services.now())
        print_json(facts | {"recorded": recorded, "approvals_missing": missing})
    else:
        print(f"\nRecorded: {approval.decision} by {approval.principal} as {approval.role} ({approval.assurance}).")
        if missing:
            print(f"{missing} more {'approval is' if missing == 1 else 'approvals are'} needed.")
    return MORE if missing else DONE
