"""A whole Gatewright for flow tests: real store, real Prefect server, real scoring service, a person who answers."""

import contextvars
import json
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import uvicorn
import yaml
from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Running

from deployments.local.people import People
from deployments.local.runs import form_text
from flows.retrain import retrain
from gatewright.cli.serve import scoring_app
from gatewright.core.break_glass import break_glass_statement
from gatewright.core.release_view import ReleaseView
from gatewright.core.signatures import APPROVAL
from gatewright.core.signatures import BREAK_GLASS as BREAK_GLASS_NAMESPACE
from gatewright.core.statements import Request, statement_for
from gatewright.core.tokens import token_of
from gatewright.services.ssh_signatures import SshSigner
from gatewright.wiring import Services

PAUSED = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PAUSED"]}}})
ROOT = Path(__file__).parents[2]
APPROVE = {
    "decision": "approve",
    "approver": "dana.reyes",
    "reason": "The evidence shows no reason against it.",
    "token": "none",
}
DECLARED = {
    "name": "standard",
    "outcomes": ["promote", "review"],
    "approvals": 1,
    "roles": ["release-manager", "compliance-officer"],
    "window_hours": 72,
}
SHORT_SUITE = {
    "name": "short",
    "expectations": [
        {
            "type": "expect_column_values_to_not_be_null",
            "kwargs": {"column": "dead"},
            "severity": "critical",
        }
    ],
}
# Somebody signs, as `gatewright approve` does.
SIGNED = {**APPROVE, "token": "to be signed"}
# Somebody breaks the glass, as `gatewright break-glass` does.
BREAK_GLASS = {**APPROVE, "reason": "Help is sent by chance until this serves.", "token": "to be broken"}
# Somebody sets the run's state by force, without filling in the form (compared by identity).
FORCED: dict[str, str] = {}


@dataclass(frozen=True)
class Ended:
    """How a run ended: its Prefect state and what the store knows of the release."""

    state: State
    view: ReleaseView | None

    @property
    def error(self) -> str:
        return str(self.state.result(raise_on_failure=False))


@dataclass
class World:
    """What a test does with the pipeline."""

    services: Services
    models: Path
    people: People
    number: int = 0
    forms: list[dict] = field(default_factory=list)

    def retrain(self, period: str, answers: Sequence[Mapping[str, str]] = (), **parameters) -> Ended:
        """Run the retrain flow in this process; ``answers`` are typed into its forms, one after the other."""
        self.number += 1
        release_id = parameters.setdefault("release_id", f"r{self.number}-{period}")
        parameters = {"model": "crash_triage", "period": period, "requested_by": "kim.larsen", **parameters}
        with self.answering(answers):
            state = retrain(**parameters, return_state=True)
        known = release_id in self.services.evidence.releases()
        return Ended(state, self.services.view(release_id) if known else None)

    def answering(self, answers: Sequence[Mapping[str, str]]) -> "Answering":
        return Answering(list(answers), self.forms, self.signed)

    def signed(self, run: FlowRun, answer: Mapping[str, str]) -> dict[str, str]:
        """The answer with a token, signed over what this run asks with the approver's own key."""
        services = self.services
        note = services.pauses.read(str(run.id), str(run.state.state_details.pause_key))
        request = services.evidence.read("request", note.release_id, Request)
        who = {"principal": answer["approver"], "reason": answer["reason"], "issued": services.now()}
        if answer["token"] == BREAK_GLASS["token"]:
            policy = services.releases.policy(services.releases.opening(note.release_id))
            said, namespace = break_glass_statement(request, policy, **who).to_bytes(), BREAK_GLASS_NAMESPACE
        else:
            said, namespace = statement_for(request, meaning=answer["decision"], **who).to_bytes(), APPROVAL
        signature = SshSigner(self.people.keys[answer["approver"]]).sign(said, namespace=namespace)
        return {**answer, "token": token_of(said, signature)}

    def serving(self, model: str = "crash_triage") -> str | None:
        """Digest of the model the channel names."""
        head = self.services.channels.head(model, "production")
        return head[1].model_sha256 if head else None

    def while_waiting(self, model: str) -> tuple[Ended, Ended]:
        """Start a second release while the first waits, then reject the first; returns first and second."""
        context = contextvars.copy_context()
        with ThreadPoolExecutor(max_workers=1) as pool:
            first = pool.submit(context.run, lambda: self.retrain("1998", model=model, release_id="waiting-first"))
            while not _paused_runs():
                time.sleep(0.2)
            second = self.retrain("1998", model=model)
            with self.answering([{**APPROVE, "decision": "reject"}]):
                return first.result(timeout=120), second

    def variant(
        self, name: str, change: Callable[[dict, Path], None] = lambda spec, folder: None, *, whole: bool = False
    ) -> str:
        """A copy of the example under another name, changed by ``change(spec, folder)``.

        Unless ``whole``, its suites are short and nothing is perturbed: such tests are about other things.
        """
        folder = self.models / name
        shutil.copytree(self.models / "crash_triage", folder)
        spec = yaml.safe_load((folder / "model.yaml").read_text())
        policy = yaml.safe_load((ROOT / "policies/crash_triage.yaml").read_text())
        # Nobody owns it, and a typed name is enough: such tests are not about signatures.
        del policy["changed_by"]
        policy["tiers"] = [DECLARED]
        spec["name"] = policy["model"] = name
        spec["policy"] = str(folder / "policy.yaml")
        (folder / "policy.yaml").write_text(yaml.safe_dump(policy))
        if not whole:
            (folder / "suite.json").write_text(json.dumps(SHORT_SUITE))
            spec["suites"] = {"training": str(folder / "suite.json"), "evaluation": str(folder / "suite.json")}
            spec["perturbations"] = []
        change(spec, folder)
        (folder / "model.yaml").write_text(yaml.safe_dump(spec))
        return name


class Answering:
    """Somebody at the Prefect UI: types the next answer whenever a run waits for one."""

    def __init__(
        self,
        answers: list[Mapping[str, str]],
        forms: list[dict],
        sign: Callable[[FlowRun, Mapping[str, str]], dict[str, str]],
    ) -> None:
        self._answers = answers
        self._forms = forms
        self._sign = sign
        self._over = threading.Event()
        # Prefect keeps its settings in context variables, which a new thread does not inherit.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work,), daemon=True)

    def __enter__(self) -> "Answering":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=30)

    def _work(self) -> None:
        with get_client(sync_client=True) as client:
            while self._answers and not self._over.wait(0.2):
                for run in client.read_flow_runs(flow_run_filter=PAUSED):
                    text = form_text(client, run)
                    if text is None:
                        continue
                    self._forms.append({"description": text})
                    answer = self._answers.pop(0)
                    if answer is FORCED:
                        client.set_flow_run_state(run.id, Running(), force=True)
                        break
                    if answer.get("token") in (SIGNED["token"], BREAK_GLASS["token"]):
                        answer = self._sign(run, answer)
                    reply = client.resume_flow_run(run.id, run_input=dict(answer))
                    if reply.status.value != "ACCEPT":
                        self._forms.append({"refused": str(reply.details)})
                    break


def _paused_runs() -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(flow_run_filter=PAUSED)


def serve(services: Services, model: str, port: int) -> uvicorn.Server:
    """The real scoring service in a thread of this process."""
    app = scoring_app(services, model, poll_seconds=0.25)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return server


def rows_of(models: Path, year: str) -> pd.DataFrame:
    return pd.read_parquet(models / "crash_triage" / "data" / f"{year}.parquet")
