"""Replay the years: start a release, approve it as the demo approver, go on where an earlier start stopped."""

import time
from collections.abc import Callable
from uuid import UUID

from deployments.local import runs
from deployments.local.people import People
from gatewright.core.errors import TargetError
from gatewright.core.ledger import open_release, state_of
from gatewright.core.releases import ReleaseState
from gatewright.core.signatures import APPROVAL
from gatewright.core.statements import Request, statement_for
from gatewright.core.tokens import token_of
from gatewright.services.ssh_signatures import SshSigner
from gatewright.wiring import Services

__all__ = ["Replay"]

GATES_SECONDS = 900
APPROVER = "demo.approver"


class Replay:
    """Brings releases of one model to where they should be, and says what happens on the way.

    ``check`` is called while waiting, and raises when a server has died.
    """

    def __init__(
        self, services: Services, model: str, people: People, say: Callable[[str], None], check: Callable[[], None]
    ) -> None:
        self._services = services
        self._model = model
        self._people = people
        self._say = say
        self._check = check

    def deployed(self, period: str) -> str:
        """See that the release of ``period`` is deployed, approving it with a signature; returns its id.

        Raises TargetError, with the decision's reasons, when it ends in any other way.
        """
        release_id, run_id = self.waiting(period)
        if run_id is not None:
            reason = f"Replay of {period}: the evidence page shows no reason against it."
            token = self._signed(release_id, reason)
            runs.answer(run_id, {"decision": "approve", "approver": APPROVER, "reason": reason, "token": token})
            self._say(f"{period}: approved and signed as {APPROVER}")
            release_id = self._ended(release_id, period)
        return release_id

    def waiting(self, period: str) -> tuple[str, UUID | None]:
        """See that the release of ``period`` waits for approval; no run id when it is deployed already."""
        deployed = self._with_state(period, ReleaseState.DEPLOYED)
        if deployed:
            self._say(f"{period}: release {deployed[-1]} is deployed")
            return deployed[-1], None
        release_id, run_id = self._continued(period) or self._started(period)
        run = runs.wait_for_pause_or_end(run_id, self._check, seconds=GATES_SECONDS)
        if runs.is_over(run):
            # It was approved before the last start ended, and has just gone on.
            if self._with_state(period, ReleaseState.DEPLOYED):
                return self.waiting(period)
            raise self._did_not_wait(release_id, period)
        self._say(f"{period}: release {release_id} waits for approval")
        return release_id, run_id

    def _signed(self, release_id: str, reason: str) -> str:
        """What `gatewright approve` makes after somebody has looked."""
        request = self._services.evidence.read("request", release_id, Request)
        statement = statement_for(
            request, principal=APPROVER, meaning="approve", reason=reason, issued=self._services.now()
        ).to_bytes()
        return token_of(statement, SshSigner(self._people.keys[APPROVER]).sign(statement, namespace=APPROVAL))

    def wait_for_end(self, release_id: str, *, seconds: float | None = None) -> ReleaseState:
        """The state in which a release ends, however long people take."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            self._check()
            state = state_of(release_id, self._services.ledger.entries(self._model))
            if state is not None and state.final:
                return state
            if deadline is not None and time.monotonic() > deadline:
                raise TargetError(
                    f"release {release_id} is still {state}.",
                    where=self._model,
                    remedy="look at the worker's log; a second start goes on from here.",
                )
            time.sleep(0.5)

    def _continued(self, period: str) -> tuple[str, UUID] | None:
        """The run of a release that has not ended; a new run where the old one has died."""
        release_id = open_release(self._services.ledger.entries(self._model))
        if release_id is None:
            return None
        if not release_id.startswith(f"{self._model}-{period}-"):
            raise TargetError(
                f"{release_id} has not ended, and there is one release of a model at a time.",
                where=f"release of {period}",
                remedy=f"approve or reject it in the UI, or `gatewright abandon {release_id}`; then start again.",
            )
        going = runs.unfinished(release_id)
        if going:
            return release_id, going.id
        self._say(f"{period}: a new run takes over release {release_id}")
        return release_id, self._start(period, release_id)

    def _started(self, period: str) -> tuple[str, UUID]:
        number = 1 + len([r for r in self._services.evidence.releases() if r.startswith(f"{self._model}-{period}-")])
        release_id = f"{self._model}-{period}-{number}"
        self._say(f"{period}: train on all years before, evaluate on {period}")
        going = runs.unfinished(release_id)
        return release_id, going.id if going else self._start(period, release_id)

    def _start(self, period: str, release_id: str) -> UUID:
        parameters = {
            "model": self._model,
            "period": period,
            "requested_by": "kim.larsen",
            "release_id": release_id,
        }
        return runs.start("retrain/retrain", parameters).id

    def _ended(self, release_id: str, period: str) -> str:
        state = self.wait_for_end(release_id, seconds=GATES_SECONDS)
        if state is not ReleaseState.DEPLOYED:
            raise self._did_not_wait(release_id, period)
        self._say(f"{period}: release {release_id} is deployed and serves")
        return release_id

    def _with_state(self, period: str, state: ReleaseState) -> list[str]:
        entries = self._services.ledger.entries(self._model)
        releases = [r for r in self._services.evidence.releases() if r.startswith(f"{self._model}-{period}-")]
        return [r for r in releases if state_of(r, entries) is state]

    def _did_not_wait(self, release_id: str, period: str) -> TargetError:
        entries = [e for e in self._services.ledger.entries(self._model) if e.release_id == release_id]
        last = f"{entries[-1].kind}: {entries[-1].note}" if entries else "its run ended before it opened"
        return TargetError(
            f"the release of {period} ended otherwise ({last}).",
            where=release_id,
            remedy=f"`gatewright show {release_id}` says why.",
        )
