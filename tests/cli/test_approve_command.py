"""People approve and reject from a terminal, with their own keys."""

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from gatewright.cli import main
from gatewright.core.signatures import APPROVAL
from gatewright.core.statements import Answer, ApprovalStatement
from gatewright.core.tokens import parse_token
from gatewright.services.pauses import PauseNote
from gatewright.services.prefect_api import PrefectApi
from gatewright.services.releases import Releases
from tests.services.waiting_release import RUN, SIGNED, WaitingRelease, run_as_prefect_shows_it

REASON = "The recall of every group rose."


class Terminal:
    """The command line as one of the people; ``wait`` is in seconds."""

    wait = "0"

    def __init__(self, release: WaitingRelease, capsys: pytest.CaptureFixture[str]) -> None:
        self.release = release
        self._capsys = capsys

    def run(self, command: str, person: str = "dana.reyes", *more: str, reason: str = REASON) -> tuple[int, str, str]:
        key = str(self.release.people.keys.get(person, person))
        code = main([command, "r1", "--key", key, "--reason", reason, "--yes", "--wait", self.wait, *more])
        out, err = self._capsys.readouterr()
        return code, out, err

    def kinds(self) -> list[str]:
        return self.release.book.kinds()


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Make a release that waits, in a tier, and somebody at a terminal who can reach it."""

    def make(tier=SIGNED) -> Terminal:
        release = WaitingRelease(tmp_path, tier)
        monkeypatch.setattr("gatewright.wiring.connect", release.services)
        monkeypatch.setattr(PrefectApi, "connect", lambda settings: release.prefect.api())
        monkeypatch.setattr("gatewright.services.delivery._POLL_SECONDS", 0)
        return Terminal(release, capsys)

    return make


def test_an_approval_is_signed_sent_and_recorded(terminal):
    """The run is resumed with a token; who, what and why stand in the ledger as signed."""
    dana = terminal()
    code, out, _ = dana.run("approve")
    assert code == 0
    (approval,) = dana.release.services().releases.approvals("r1")
    assert (approval.principal, approval.decision, approval.assurance) == ("dana.reyes", "approve", "signed")
    assert (approval.reason, approval.role) == (REASON, "release-manager")
    assert dana.kinds()[-1] == "approved"
    assert "Recorded: approve by dana.reyes as release-manager (signed)." in out


def test_what_is_shown_is_the_verdict_the_terms_and_every_digest(terminal):
    """Nobody must sign what they could not read."""
    dana = terminal()
    request = dana.release.request
    _, out, _ = dana.run("approve")
    assert out.startswith("PASS r1: it waits for approval\n  Triage - who needs help first?, 2000; model ")
    assert "1 person with the role release-manager or compliance-officer, signed (tier high, high risk)" in out
    assert "72 h 0 min left" in out
    for digest in (request.evidence_root, request.model_sha256, request.policy_sha256, request.ledger_head):
        assert digest in out
    assert re.search(r"^  AUC +0\.858 +\+0\.030 +\[0\.014, 0\.044\] .*better$", out, re.MULTILINE)


def test_what_is_read_before_signing_is_what_show_says(terminal, capsys, monkeypatch):
    """Verdict, objections with their numbers and the drawn changes: the same lines, and no sentence of the decision."""
    dana = terminal()
    asked = dana.run("approve", "dana.reyes", "--print")[1]
    monkeypatch.setattr("gatewright.wiring.connect", lambda *, read_only: dana.release.services())
    assert main(["show", "r1"]) == 3
    shown = capsys.readouterr().out
    assert asked[: asked.index("\nWhat is asked")] == shown[: shown.index("\nApprovals: ")]
    assert "  FAIL         warns: feature-drift on year_built: PSI 0.320 (exact), at most 0.25\n" in asked


def test_a_rejection_is_signed_too(terminal):
    """The release ends, and the proof says who ended it."""
    dana = terminal()
    code, out, _ = dana.run("reject")
    assert (code, dana.kinds()[-1]) == (0, "rejected")
    (approval,) = dana.release.services().releases.approvals("r1")
    assert parse_token(approval.proof).read(ApprovalStatement).meaning == "reject"
    assert "Recorded: reject by dana.reyes" in out


def test_a_quorum_of_two_says_that_one_is_missing(terminal):
    """Exit code 3, then 0 for the second person; both are in the ledger."""
    dana = terminal(SIGNED.model_copy(update={"approvals": 2}))
    code, out, _ = dana.run("approve")
    assert (code, "1 more approval is needed." in out) == (3, True)
    assert dana.run("approve", "sam.okafor")[0] == 0
    assert dana.kinds().count("approved") == 2


def test_two_who_answer_at_once_are_both_recorded(terminal):
    """Who comes second finds the run at work, waits for its next question and answers that."""
    dana = terminal(SIGNED.model_copy(update={"approvals": 2}))
    prefect = dana.release.prefect

    def sam_is_quicker():
        prefect.before = lambda: None
        assert main([
            "approve", "r1", "--key", str(dana.release.people.keys["sam.okafor"]), "--reason", REASON, "--yes",
        ]) == 3  # fmt: skip

    prefect.before = sam_is_quicker
    dana.wait = "5"
    assert dana.run("approve")[0] == 0
    assert [answer["approver"] for answer in prefect.typed] == ["sam.okafor", "dana.reyes"]
    assert dana.kinds().count("approved") == 2


@pytest.mark.parametrize(
    ("person", "problem"),
    [("kim.larsen", "the author of a candidate cannot approve it"), ("pipeline", "nobody with this key")],
)
def test_who_may_not_approve_is_told_before_anything_is_sent(terminal, person, problem):
    """The author, and a key that is no person's."""
    other = terminal()
    keys = {**other.release.people.keys, "pipeline": other.release.people.pipeline_key}
    code, _, err = other.run("approve", str(keys[person]))
    assert code == (2 if person == "kim.larsen" else 1)
    assert problem in err
    assert other.release.prefect.typed == []


def test_who_left_since_the_release_opened_is_told_so(terminal):
    """The roster in force counts, not only the pinned one."""
    dana = terminal()
    file = dana.release.people.roster
    text = file.read_text().replace("version: 1", "version: 2").replace(
        "joined: '2024-01-01'", "joined: '2024-01-01'\n  left: '2026-03-01'", 1
    )  # fmt: skip
    file.write_text(text)
    code, _, err = dana.run("approve")
    assert (code, dana.release.prefect.typed) == (2, [])
    assert "dana.reyes is not active today" in err


def test_a_reason_too_short_is_told_before_anything_is_sent(terminal):
    """Exit code 2: the answer was refused."""
    dana = terminal()
    code, _, err = dana.run("approve", reason="ok")
    assert (code, dana.release.prefect.typed) == (2, [])
    assert "the reason is too short" in err


def test_nobody_signs_evidence_that_was_edited(terminal):
    """Every digest is computed again before anything is shown."""
    dana = terminal()
    dana.release.edit("evaluate", b"0.858", b"0.958")
    code, out, err = dana.run("approve")
    assert (code, out, dana.release.prefect.typed) == (1, "", [])
    assert "the evidence has digest" in err


def test_nobody_signs_a_request_that_was_edited(terminal):
    """The ledger knows the digest of what is asked."""
    dana = terminal()
    dana.release.edit("request", b'"approvals":1', b'"approvals":0')
    assert dana.run("approve")[0] == 1
    assert dana.release.prefect.typed == []


def test_nobody_signs_a_model_whose_bytes_were_swapped(terminal):
    """The blob is read and hashed."""
    dana = terminal()
    dana.release.swap(b"model")
    assert dana.run("approve")[0] == 1
    assert dana.release.prefect.typed == []


def test_the_printed_line_is_what_the_form_takes(terminal):
    """It is pasted into the token field by hand, and nothing is sent."""
    dana = terminal()
    code, out, _ = dana.run("approve", "dana.reyes", "--print")
    assert (code, dana.release.prefect.typed) == (0, [])
    token = out.splitlines()[-1]
    typed = Answer(decision="approve", approver="dana.reyes", reason=REASON, token=token)
    dana.release.prefect.resumed(RUN, typed.model_dump())
    assert dana.kinds()[-1] == "approved"


def test_the_printed_line_verifies_with_ssh_keygen_alone(terminal, tmp_path):
    """What an auditor has: the statement, the signature, the person's public key."""
    from gatewright.services.ssh_signatures import SshSignatures, public_key_of

    dana = terminal()
    token = parse_token(dana.run("approve", "dana.reyes", "--print")[1].splitlines()[-1])
    key = public_key_of(dana.release.people.keys["dana.reyes"])
    assert SshSignatures().signer(token.body, token.signature, namespace=APPROVAL, keys=[key]) == key
    assert token.read(ApprovalStatement).nonce == dana.release.request.nonce


def test_json_tells_what_was_signed_and_recorded(terminal):
    """One object, and nothing else on standard output."""
    dana = terminal()
    code, out, _ = dana.run("approve", "dana.reyes", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["digests"]["request"] == dana.release.request.digest
    assert found["recorded"]["principal"] == "dana.reyes"
    assert (found["approvals_missing"], found["seconds_left"]) == (0, 72 * 3600)


def test_where_nobody_can_be_asked_nothing_is_signed(terminal, monkeypatch):
    """A script must say --yes and --reason itself."""
    dana = terminal()
    monkeypatch.setattr("sys.stdin", io.StringIO("approve\n"))
    assert main(["approve", "r1", "--key", str(dana.release.people.keys["dana.reyes"]), "--reason", REASON]) == 1
    assert dana.release.prefect.typed == []


def test_a_person_at_the_terminal_may_turn_approve_into_reject(terminal, monkeypatch):
    """Having read the page they answer with the other word."""
    dana = terminal()
    said = iter([REASON, "reject"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: next(said))
    key = str(dana.release.people.keys["dana.reyes"])
    assert main(["approve", "r1", "--key", key]) == 0
    assert dana.kinds()[-1] == "rejected"


def test_a_release_that_has_ended_asks_nobody(terminal):
    """The ledger is asked first."""
    dana = terminal()
    dana.run("reject")
    code, _, err = dana.run("approve", "sam.okafor")
    assert (code, "the release has ended as rejected" in err) == (1, True)


def test_a_busy_server_is_asked_again(terminal):
    """SQLite is busy just after a suspension, and a form appears a moment after its state."""
    dana = terminal()
    missing = {"status": "REJECT", "details": {"reason": "Run input schema not found."}}
    waiting = httpx.Response(200, json=[run_as_prefect_shows_it(RUN, "approval-1")])
    dana.release.prefect.replies += [waiting, httpx.Response(503), waiting, httpx.Response(200, json=missing)]
    dana.wait = "5"
    assert dana.run("approve")[0] == 0
    assert dana.kinds()[-1] == "approved"


def test_an_answer_that_the_run_refuses_is_exit_code_two(terminal, monkeypatch):
    """The window closed on the way: what the run said is told."""
    dana = terminal()
    prefect = dana.release.prefect
    prefect.before = lambda: setattr(dana.release.book, "now", dana.release.request.expires_at + timedelta(seconds=1))
    code, _, err = dana.run("approve")
    assert (code, "the window was over when the answer came" in err) == (2, True)
    assert "approved" not in dana.kinds()


def test_a_run_that_does_not_wait_is_an_error_and_not_a_success(terminal):
    """Nothing was recorded, so nothing is claimed."""
    dana = terminal()
    dana.release.prefect.paused.clear()
    code, _, err = dana.run("approve")
    assert (code, "no run waits for this answer" in err) == (1, True)


def test_a_question_of_another_release_is_never_answered(terminal):
    """A run that pauses under the same key without our note is somebody else's."""
    dana = terminal()
    dana.release.prefect.paused = {"0f0d6a8e-0000-4000-8000-00000000000f": "approval-1"}
    assert dana.run("approve")[0] == 1
    assert dana.release.prefect.typed == []


def test_a_question_asked_before_is_never_answered_with_todays_signature(terminal):
    """A run of ours that asks with another nonce asks something else."""
    dana = terminal()
    other = "0f0d6a8e-0000-4000-8000-00000000000f"
    services, request = dana.release.services(), dana.release.request
    stale = PauseNote(
        release_id="r1", request_sha256=request.digest, evidence_root=request.evidence_root, nonce="ef" * 32
    )
    services.pauses.write(other, "approval-1", stale)
    dana.release.prefect.paused = {other: "approval-1"}
    assert dana.run("approve")[0] == 1
    assert dana.release.prefect.typed == []


def test_nobody_signs_what_was_only_shown(terminal, monkeypatch):
    """Evidence that was edited while it was read, and put back before it was verified."""
    dana, view = terminal(), Releases.view

    def flattered(self, release_id):
        found = view(self, release_id)
        return replace(found, decision=found.decision.model_copy(update={"reasons": ("every rule passed",)}))

    monkeypatch.setattr(Releases, "view", flattered)
    code, out, err = dana.run("approve")
    assert (code, out, dana.release.prefect.typed) == (1, "", [])
    assert "the evidence changed while it was read" in err


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (httpx.Response(401, json={}), "does not know you"),
        (httpx.Response(403, json={}), "does not let you"),
        (httpx.Response(200, text="<html>"), "no Prefect server"),
        (httpx.Response(500), "HTTP 500"),
    ],
)
def test_a_server_that_refuses_us_is_named(terminal, reply, words):
    """Each with its remedy; never a traceback."""
    dana = terminal()
    dana.release.prefect.replies.append(reply)
    code, _, err = dana.run("approve")
    assert (code, words in err) == (1, True)
