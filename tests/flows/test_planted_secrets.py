"""Secrets of the settings, and those that an error quotes, are nowhere after a release that ran and failed."""

import pytest
from prefect import get_client
from prefect.client.schemas.filters import LogFilter

from gatewright.services.store import ObjectStore
from tests.flows.leaky_training import PLANTED
from tests.flows.world import World

pytestmark = pytest.mark.usefixtures("few_calls")


def leaks(spec, folder):
    spec["training"] = "tests.flows.leaky_training:fit"


def kept(store: ObjectStore) -> dict[str, bytes]:
    """Every object, by its key."""
    return {key: store.get(key) for key in store.keys("")}


def test_a_failed_release_leaves_no_secret_behind(world: World):
    """In no record or blob of the store, no log, no state and no artifact of Prefect; the error itself is there."""
    ended = world.retrain("1998", model=world.variant("leaky", leaks))
    store_secret = world.services.settings.store_secret_access_key.get_secret_value()
    assert ended.state.name == "Failed"
    assert "training failed" in ended.error
    found = dict(kept(world.services.records))
    found |= {f"blob {key}": body for key, body in kept(world.services.blobs._store).items()}
    with get_client(sync_client=True) as client:
        found["logs"] = "\n".join(log.message for log in client.read_logs(LogFilter(), limit=200)).encode()
        found["artifacts"] = repr(client.read_artifacts()).encode()
        found["runs"] = repr(client.read_flow_runs() + client.read_task_runs()).encode()
    found["error"] = ended.error.encode()
    assert b"training failed" in b"".join(body for key, body in found.items() if key.startswith("ledger/"))
    assert [place for place, body in found.items() if PLANTED.encode() in body] == []
    assert [place for place, body in found.items() if store_secret.encode() in body] == []
