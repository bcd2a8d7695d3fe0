"""A release that waits for people with real keys, its services, and a double of the Prefect server it waits on."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx
import yaml

from deployments.local.people import make_people
from gatewright.core.approval import accept
from gatewright.core.break_glass import BREAK_GLASS_KIND, accept_break_glass
from gatewright.core.errors import ApprovalError
from gatewright.core.policy import BreakGlass, WaiverTerms
from gatewright.core.releases import Opening, ReleaseState
from gatewright.core.roster import Roster
from gatewright.core.statements import Answer, Pause, Request
from gatewright.core.strict_yaml import parse_yaml
from gatewright.core.tiers import Tier
from gatewright.core.tokens import kind_of
from gatewright.services.pauses import PauseNote
from gatewright.services.prefect_api import PrefectApi
from gatewright.services.release_records import AnswerRecord
from gatewright.services.targets.base import Target
from gatewright.settings import Settings
from gatewright.wiring import Services, build
from tests.services.release_book import Asked, Book
from tests.services.reports.example_view import POLICY

RUN = "6f0d6a8e-0000-4000-8000-000000000001"
PEOPLE = {
    "version": 1,
    "people": [
        {"id": "dana.reyes", "name": "Dana", "roles": ["release-manager"], "joined": "2024-01-01"},
        {"id": "sam.okafor", "name": "Sam", "roles": ["compliance-officer"], "joined": "2024-01-01"},
        {"id": "kim.larsen", "name": "Kim", "roles": ["release-manager"], "joined": "2024-01-01"},
    ],
}
SIGNED = Tier(
    name="high",
    risk="high",
    outcomes=("promote", "review"),
    approvals=1,
    roles=("release-manager", "compliance-officer"),
    assurance="signed",
    window_hours=72,
)


class WaitingRelease(Asked):
    """Release ``r1`` asks, in tier ``tier``, people whose keys are in ``people.keys``."""

    def __init__(self, folder: Path, tier: Tier = SIGNED, *, flow_run: str = RUN) -> None:
        roster = folder / "given.yaml"
        roster.write_text(yaml.safe_dump(PEOPLE))
        self.people = make_people(folder, roster, since=date(2024, 1, 1))
        self.settings = Settings(root=folder, roster=self.people.roster, pipeline_key=self.people.pipeline_key)
        self._tier = tier
        super().__init__(_Book(folder, self.people.roster, flow_run))
        self.prefect = PrefectDouble(self)

    def services(self) -> Services:
        """New objects, as each command is a new process."""
        store = self.book.store
        target = ObedientTarget()
        return build(self.settings, blob_store=store, record_store=store, target=target, now=lambda: self.book.now)

    def _request(self, root: str) -> Request:
        return super()._request(root).model_copy(update={"tier": self._tier})


class ObedientTarget(Target):
    """Serves whatever it is told to, at once."""

    def serving(self) -> str | None:
        return None

    def wait_until_serving(self, model_sha256: str | None, *, timeout_seconds: float, **_: object) -> None:
        pass


class _Book(Book):
    def __init__(self, folder: Path, roster: Path, flow_run: str) -> None:
        super().__init__(folder)
        self._flow_run = flow_run
        self._roster = parse_yaml(roster.read_text(), Roster, where=str(roster))

    def terms(self, release_id: str = "r1", **changes: object) -> Opening:
        terms = {
            "break_glass": BreakGlass(roles=("release-manager",), hours=24),
            "waivers": WaiverTerms(roles=("compliance-officer",), maximum_days=30),
        }
        policy = POLICY.model_copy(update=terms)
        pinned = {name: self.put(one.to_bytes()) for name, one in {"policy": policy, "roster": self._roster}.items()}
        pinned |= {"flow_run": self._flow_run, "channel_generation": 0}
        return super().terms(release_id, **pinned, **changes)


class PrefectDouble:
    """Answers two routes of Prefect's API as the server does, and what the run does once it is resumed.

    ``paused`` maps the runs that wait to their pause keys. ``before`` is called before each resume.
    """

    def __init__(self, release: WaitingRelease) -> None:
        self._release = release
        self.paused: dict[str, str] = {}
        self.typed: list[dict[str, str]] = []
        self.before: Callable[[], None] = lambda: None
        self.replies: list[httpx.Response] = []
        self.authorizations: list[str | None] = []
        self.ask(1)

    def api(self) -> PrefectApi:
        return PrefectApi(httpx.Client(base_url="http://prefect/api", transport=httpx.MockTransport(self.handle)))

    def ask(self, attempt: int) -> None:
        request, key = self._release.request, f"approval-{attempt}"
        note = PauseNote(
            release_id=request.release_id,
            request_sha256=request.digest,
            evidence_root=request.evidence_root,
            nonce=request.nonce,
        )
        self._release.services().pauses.write(RUN, key, note)
        self.paused[RUN] = key

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.authorizations.append(request.headers.get("authorization"))
        if self.replies:
            return self.replies.pop(0)
        body = json.loads(request.content)
        if request.url.path.endswith("/flow_runs/filter"):
            return httpx.Response(
                200, json=[run_as_prefect_shows_it(*item) for item in self.paused.items()] if not body["offset"] else []
            )
        self.before()
        run_id = request.url.path.split("/")[-2]
        if run_id not in self.paused:
            details = {"type": "abort_details", "reason": "Cannot resume a flow run that is not paused."}
            return httpx.Response(200, json={"state": None, "status": "ABORT", "details": details})
        self.resumed(run_id, body["run_input"])
        return httpx.Response(201, json={"state": {}, "status": "ACCEPT", "details": {"type": "accept_details"}})

    def resumed(self, run_id: str, typed: dict[str, str]) -> None:
        """What `tasks.approve.receive` does."""
        self.typed.append(typed)
        release, services = self._release, self._release.services()
        key = self.paused.pop(run_id)
        attempt = int(key.removeprefix("approval-"))
        earlier = services.releases.approvals("r1")
        rosters = (services.releases.roster(release.opening), services.roster())
        pause = Pause(run_id=run_id, key=key)
        if kind_of(typed["token"]) == BREAK_GLASS_KIND:
            return self._emergency(attempt, typed["token"], rosters)
        try:
            approval = accept(
                Answer(**typed), release.request, rosters, services.signatures,
                pause=pause, at=services.now(), earlier=earlier,
            )  # fmt: skip
        except ApprovalError as error:
            services.releases.record(
                f"answer-{attempt}", release.opening, AnswerRecord(approval=None, refusal=error.problem)
            )
            return self.ask(attempt + 1)
        services.releases.record(f"answer-{attempt}", release.opening, AnswerRecord(approval=approval, refusal=None))
        if approval.decision == "reject":
            services.releases.close(release.opening, ReleaseState.REJECTED, "gatewright")
            return None
        services.releases.note_approval(release.opening, approval)
        if len(earlier) + 1 < release.request.tier.approvals:
            self.ask(attempt + 1)
        return None

    def _emergency(self, attempt: int, token: str, rosters: tuple[Roster, ...]) -> None:
        release, services = self._release, self._release.services()
        policy = services.releases.policy(release.opening)
        emergency = accept_break_glass(token, release.request, policy, rosters, services.signatures, at=services.now())
        recorded = AnswerRecord(approval=None, refusal=None, emergency=emergency)
        services.releases.record(f"answer-{attempt}", release.opening, recorded)
        services.releases.note_emergency(release.opening, emergency)


def run_as_prefect_shows_it(run_id: str, key: str) -> dict[str, object]:
    keys = {name: f"paused-{key}-{name}" for name in ("schema", "response", "description")}
    details = {"pause_key": key, "run_input_keyset": keys, "pause_reschedule": False}
    return {"id": run_id, "name": "clever-otter", "state": {"type": "PAUSED", "state_details": details}}
