"""One store and one scoring service for all flow tests."""

import shutil
from collections.abc import Iterator

import pytest

from deployments.local.genesis import put_in_force
from deployments.local.people import make_people
from deployments.local.processes import free_port
from gatewright import wiring
from gatewright.services import latency
from gatewright.services.embedded_store import EmbeddedStore
from gatewright.settings import Settings
from tests.flows.world import ROOT, SIGNED, Ended, World, serve

BLIND = ["dvcat", "airbag", "seatbelt", "frontal", "yearVeh", "abcat", "occRole", "deploy"]


@pytest.fixture(scope="session")
def world(prefect_server: None, seaweed: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Nothing is released yet in it."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copytree(ROOT / "examples" / "crash_triage", folder / "models" / "crash_triage")
    location = seaweed.location("flows-records")
    people = make_people(folder, ROOT / "policies" / "roster.yaml")
    port = free_port()
    settings = {
        "ROOT": str(ROOT),
        "MODELS_DIR": str(folder / "models"),
        "CACHE_DIR": str(folder / "cache"),
        "STORE_ENDPOINT_URL": location.endpoint_url,
        "STORE_ACCESS_KEY_ID": location.access_key_id,
        "STORE_SECRET_ACCESS_KEY": location.secret_access_key.get_secret_value(),
        "BLOB_BUCKET": "flows-blobs",
        "RECORD_BUCKET": "flows-records",
        "ROSTER": str(people.roster),
        "PIPELINE_KEY": str(people.pipeline_key),
        "TARGET_URL": f"http://127.0.0.1:{port}",
    }
    with pytest.MonkeyPatch.context() as patch:
        # A demo in this checkout leaves its own: tokens of its service, places for its checkpoints.
        patch.setitem(Settings.model_config, "env_file", None)
        for key, value in settings.items():
            patch.setenv(f"GATEWRIGHT_{key}", value)
        wiring.connect.cache_clear()
        services = wiring.connect()
        put_in_force(services, people, "crash_triage")
        server = serve(services, "crash_triage", port)
        yield World(services, folder / "models", people)
        server.should_exit = True
        wiring.connect.cache_clear()


@pytest.fixture(scope="session")
def years(world: World) -> dict[str, Ended]:
    """Every year is retrained and approved; in 2000 a candidate that does not see sex and age asks first."""
    return {
        "1998": world.retrain("1998", [SIGNED]),
        "1999": world.retrain("1999", [SIGNED]),
        "2000 blind": world.retrain("2000", features=BLIND),
        "2000": world.retrain("2000", [SIGNED]),
        "2001": world.retrain("2001", [SIGNED]),
        "2002": world.retrain("2002"),
    }


@pytest.fixture
def few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too few calls to judge latency, which is a warning only; for tests that are about other things."""
    monkeypatch.setattr(latency, "HIGHEST_QUANTILE", 0.5)
    monkeypatch.setattr(latency, "BUDGET_SECONDS", 0)
