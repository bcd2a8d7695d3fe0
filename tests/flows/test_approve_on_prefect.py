"""`gatewright approve` against the real Prefect server: what the double of other tests does, the server does too."""

import contextvars
import threading
from pathlib import Path

import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL

from gatewright.cli import main
from gatewright.services.prefect_api import PrefectApi, PrefectSettings
from tasks.approve import ask, receive
from tests.services.waiting_release import WaitingRelease


def test_a_waiting_run_takes_the_signed_answer(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The run is found among all that wait, resumed through its form, and records the approval as signed."""
    release = WaitingRelease(tmp_path)
    monkeypatch.setattr("gatewright.wiring.connect", release.services)
    monkeypatch.setattr("tasks.approve.connect", release.services)
    monkeypatch.setattr("tasks.approve.POLL_SECONDS", 0.2)
    monkeypatch.setenv("PREFECT_API_URL", str(PREFECT_API_URL.value()))

    @flow(name="asks")
    def asks() -> None:
        receive(release.opening, release.request, 1, ask(release.opening, release.request, 1))

    run = threading.Thread(target=contextvars.copy_context().run, args=(asks,), daemon=True)
    run.start()
    key = str(release.people.keys["dana.reyes"])
    reason = "The recall of every group rose."
    assert main(["approve", "r1", "--key", key, "--reason", reason, "--yes", "--wait", "60"]) == 0
    run.join(timeout=60)
    (approval,) = release.services().releases.approvals("r1")
    assert (approval.principal, approval.assurance, approval.reason) == ("dana.reyes", "signed", reason)
    assert release.book.kinds()[-1] == "approved"


def test_a_run_that_does_not_wait_takes_no_answer(prefect_server: None, monkeypatch: pytest.MonkeyPatch):
    """The server says so, and it is no error: somebody else was quicker."""

    @flow(name="is over")
    def is_over() -> None:
        pass

    monkeypatch.setenv("PREFECT_API_URL", str(PREFECT_API_URL.value()))
    state = is_over(return_state=True)
    api = PrefectApi.connect(PrefectSettings())
    assert api.resume(str(state.state_details.flow_run_id), {"decision": "approve"}) is False
