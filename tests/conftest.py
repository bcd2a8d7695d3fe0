"""Real servers that are started once for all tests, and ended by their process id."""

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from gatewright.services.embedded_store import EmbeddedStore
from gatewright.services.store import S3Location, S3Store
from tests.fakes import MemoryStore

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

_BUCKET = "gatewright-tests"
# They share what takes longest to make, six years of releases: on two workers it would be made twice.
_WITH_YEARS = frozenset(f"tests/flows/test_{name}.py" for name in ("bad_input", "outcomes", "production"))

# How long an example takes says nothing on a busy machine.
settings.register_profile("any machine", settings(), deadline=None)
settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadFileScheduling":
    """Keep the tests of a file on one worker, and all that need six years of releases."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "six years" if file in _WITH_YEARS else file

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hold the list above."""
    users = {item.nodeid.split("::")[0] for item in items if "years" in getattr(item, "fixturenames", ())}
    if not users <= _WITH_YEARS:
        raise pytest.UsageError(f"name in _WITH_YEARS of tests/conftest.py: {', '.join(users - _WITH_YEARS)}")


@pytest.fixture
def free_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def services_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where servers of the session keep their files."""
    return tmp_path_factory.mktemp("services")


@pytest.fixture(scope="session")
def seaweed(services_dir: Path) -> Iterator[EmbeddedStore]:
    """The real embedded object store."""
    # What was written need not outlive the session, so its end need not be graceful.
    with EmbeddedStore(services_dir / "store", stop_seconds=0) as store:
        S3Store(store.location(_BUCKET)).ensure_bucket()
        yield store


@pytest.fixture
def s3_location(seaweed: EmbeddedStore) -> S3Location:
    """A place of its own in the real store: SeaweedFS wants few buckets, so each test has a prefix."""
    return seaweed.location(_BUCKET, prefix=f"tests/{uuid.uuid4().hex}")


@pytest.fixture
def s3_store(s3_location: S3Location) -> S3Store:
    """The real store, empty."""
    return S3Store(s3_location)


@pytest.fixture
def memory_store() -> MemoryStore:
    """The fake store, empty."""
    return MemoryStore()


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A Prefect server for all that runs tasks or flows; it takes half a minute to start."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    with (
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield
