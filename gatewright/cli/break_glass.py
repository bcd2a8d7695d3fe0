"""``gatewright break-glass``: in an emergency, let a waiting release go on alone, by name, loudly, for some hours."""

from typing import TYPE_CHECKING

from gatewright.cli.answering import DONE, Print, Reason, Wait, Yes, ask, deliver, print_token, refused
from gatewright.cli.find import ReleaseName, find_release
from gatewright.cli.output import Json, print_json
from gatewright.cli.signing import DEFAULT_KEY, Key, SigningPerson, signing_person
from gatewright.core.errors import ApprovalError
from gatewright.core.statements import Answer
from gatewright.services.reports.wording import when

if TYPE_CHECKING:
    from gatewright.core.break_glass import Emergency
    from gatewright.services.open_question import OpenQuestion
    from gatewright.wiring import Services

__all__ = ["break_glass"]


def break_glass(
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
    """Let a waiting release go on without the rest of the quorum. Everybody is told, and it expires.

    Exit code 0 done, 1 error, 2 it was refused. Afterwards have it approved with `gatewright approve`.

    Example: gatewright break-glass crash_triage-2001-1 --reason "The model that serves fails on every request."
    """
    from gatewright.cli.question_page import print_question
    from gatewright.services.open_question import open_question
    from gatewright.wiring import connect

    services = connect()
    question = open_question(services.releases, find_release(services, release))
    if not as_json:
        print_question(question, services.now())
    signing = signing_person(services, key)
    sentence = f"Break the glass as {signing.person.id}: this goes into production now. Write the release id: "
    reason, said = ask(reason, sentence, yes=yes, quiet=as_json)
    if not yes and said != question.request.release_id:
        raise ApprovalError("nothing was signed.", where="terminal", remedy="write the whole release id.")
    try:
        if question.late:
            raise ApprovalError("it serves already.", where="release", remedy="approve it, or roll it back.")
        answer = _signed(services, question, signing, reason)
        if only_print:
            return print_token(services, question, answer, as_json=as_json)
        emergency = deliver(services, question, answer, wait).emergency
    except ApprovalError as error:
        return refused(error)
    assert emergency is not None
    return _told(emergency, as_json=as_json)


def _signed(services: "Services", question: "OpenQuestion", signing: SigningPerson, reason: str) -> Answer:
    """Checked by the rules the run will check it by."""
    from gatewright.core.break_glass import accept_break_glass, break_glass_statement
    from gatewright.core.signatures import BREAK_GLASS

    opening, name = question.view.opening, signing.person.id
    policy = services.releases.policy(opening)
    said = break_glass_statement(question.request, policy, principal=name, reason=reason, issued=services.now())
    token = signing.token(said, namespace=BREAK_GLASS)
    rosters = (services.releases.roster(opening), services.roster())
    accept_break_glass(token, question.request, policy, rosters, services.signatures, at=services.now())
    return Answer(decision="approve", approver=name, reason=reason, token=token)


def _told(emergency: "Emergency", *, as_json: bool) -> int:
    if as_json:
        print_json(emergency.model_dump(mode="json", exclude={"token"}))
        return DONE
    print(f"\nRecorded: {emergency.principal} broke the glass as {emergency.role}; everybody is told.")
    print(f"It holds until {when(emergency.expires)}. Until then have it approved, or roll it back.")
    return DONE
