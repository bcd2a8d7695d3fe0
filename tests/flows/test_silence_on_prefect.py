"""Whether a run still lives, and which blocks there are, asked of a real Prefect server."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect import flow
from prefect.blocks.system import Secret
from prefect.events import emit_event
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL

from gatewright.services.prefect_api import PrefectApi, PrefectSettings


@pytest.fixture
def api(prefect_server: None) -> PrefectApi:
    return PrefectApi.connect(PrefectSettings(api_url=PREFECT_API_URL.value()))


def test_runs_are_found_by_their_flow_with_what_they_were_started_with(api: PrefectApi) -> None:
    """The one that took over a release is told by its parameter; a run that the server does not know is none."""
    since = datetime.now(UTC) - timedelta(seconds=5)

    @flow(name="takes-over")
    def takes_over(release_id: str) -> None:
        raise ValueError("the store was away")

    run_id = str(takes_over("r1", return_state=True).state_details.flow_run_id)
    (found,) = api.runs_of(["takes-over"], since=since)
    assert (found.run_id, found.parameters, found.state.over) == (run_id, {"release_id": "r1"}, True)
    assert (found.state.name, "the store was away" in found.state.message) == ("Failed", True)
    assert api.run(run_id) == found
    assert api.runs_of(["takes-over"], since=datetime.now(UTC) + timedelta(hours=1)) == []
    assert [api.run(str(uuid4())), api.run("local")] == [None, None]


def test_the_last_heartbeat_of_a_run_is_the_newest_event_of_that_name(api: PrefectApi) -> None:
    """None where there was none; another run's is not taken for it."""
    run_id, other = str(uuid4()), str(uuid4())
    resource = {"prefect.resource.id": f"prefect.flow-run.{run_id}"}
    now = datetime.now(UTC) - timedelta(hours=1)
    for minute in (0, 6, 3):
        emit_event("prefect.flow-run.heartbeat", resource, occurred=now.replace(minute=minute))
    EventsWorker.instance().wait_until_empty()
    assert api.last_heartbeat(other) is None
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while api.last_heartbeat(run_id) != now.replace(minute=6) and datetime.now(UTC) < deadline:
        time.sleep(0.1)
    assert api.last_heartbeat(run_id) == now.replace(minute=6)


def test_a_block_is_found_by_its_type_and_name(api: PrefectApi) -> None:
    """What is in it is not asked for."""
    Secret(value="hush-hush").save("on-call", overwrite=True)
    assert api.has_block("secret", "on-call") is True
    assert api.has_block("secret", "off-call") is False
    assert api.has_block("no-such-type", "on-call") is False
