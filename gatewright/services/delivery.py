"""Bring a signed answer to the run that waits for it, and see that the ledger has it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from gatewright.core.errors import ApprovalError, NotFoundError, ServerError, SpecError
from gatewright.core.releases import Opening, ReleaseState
from gatewright.core.statements import Answer, Request
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.pauses import Pauses
from gatewright.services.prefect_api import PrefectApi, WaitingRun
from gatewright.services.release_records import AnswerRecord
from gatewright.services.releases import Releases

__all__ = ["Delivery"]

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Delivery:
    """Resumes runs as the form in the UI does. ``seconds``: how long to wait, for the run and then for the ledger."""

    releases: Releases
    ledger: LedgerStore
    pauses: Pauses
    prefect: PrefectApi
    seconds: float
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def deliver(self, opening: Opening, request: Request, answer: Answer) -> AnswerRecord:
        """Answer the open question of ``request``; what was recorded of it.

        Of two people who answer at once the second waits for the next question and answers that. Raises
        ApprovalError when the run refused the answer, ConflictError when the release has ended without it,
        ServerError when Prefect refuses us, no run asks, or nothing was recorded in time.
        """
        deadline = self.clock() + self.seconds
        while True:
            # In this order: a question is asked, and a release ends, only after the answer before it was recorded.
            run = next((run for run in self.prefect.waiting() if self._asks(run, request)), None)
            state = self.releases.state(opening)
            recorded = self._ours(opening, answer)
            if recorded is not None:
                return self._in_ledger(opening, recorded, deadline)
            if state is None or state.final:
                self.releases.must_be_open(opening)
            if run is not None and self.prefect.resume(run.run_id, answer.model_dump()):
                self._settled(opening, answer, int(run.key.rpartition("-")[2]), deadline)
            else:
                self._wait(deadline, "no run waits for this answer")

    def _asks(self, run: WaitingRun, request: Request) -> bool:
        """Whether the run asks for exactly this: any run of a release may have taken it over."""
        try:
            note = self.pauses.read(run.run_id, run.key)
        except (NotFoundError, SpecError):
            return False
        return (note.request_sha256, note.nonce) == (request.digest, request.nonce)

    def _ours(self, opening: Opening, answer: Answer) -> AnswerRecord | None:
        answers = self.releases.answers(opening.release_id)
        return next((recorded for recorded in answers if answer.token in _proofs(recorded)), None)

    def _settled(self, opening: Opening, answer: Answer, number: int, deadline: float) -> None:
        """Wait until answer ``number`` was recorded, which is ours unless somebody was quicker."""
        while len(answers := self.releases.answers(opening.release_id)) < number:
            self._wait(deadline, "the run was resumed, but has not recorded the answer")
        refusal = answers[number - 1].refusal
        if refusal is not None and self._ours(opening, answer) is None:
            raise ApprovalError(refusal, where=f"release {opening.release_id}", remedy="answer again.")

    def _in_ledger(self, opening: Opening, recorded: AnswerRecord, deadline: float) -> AnswerRecord:
        while not self._noted(opening, recorded):
            self._wait(deadline, "the answer was recorded, but is not in the ledger")
        return recorded

    def _noted(self, opening: Opening, recorded: AnswerRecord) -> bool:
        if recorded.approval is not None and recorded.approval.decision == "reject":
            return self.releases.state(opening) is ReleaseState.REJECTED
        ours = {one.digest for one in (recorded.approval, recorded.emergency) if one is not None}
        return any(ours & {*entry.digests.values()} for entry in self.ledger.entries(opening.model))

    def _wait(self, deadline: float, problem: str) -> None:
        if self.clock() > deadline:
            raise ServerError(
                f"{problem} after {self.seconds:.0f} s.",
                where="Prefect",
                remedy="look at the run and its worker; an answer may be sent again, it counts once.",
            )
        self.pause(_POLL_SECONDS)


def _proofs(recorded: AnswerRecord) -> set[str]:
    approval, emergency = recorded.approval, recorded.emergency
    return ({approval.proof} if approval else set()) | ({emergency.token} if emergency else set())
