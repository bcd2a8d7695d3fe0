"""A project made by ``gatewright new`` is released without an edit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import examples
from deployments.local.processes import free_port
from gatewright import wiring
from gatewright.services import latency
from gatewright.services.project_template import PERIODS, create_project
from tasks import approve
from tests.flows.world import APPROVE, ROOT, World, serve


@pytest.fixture
def project(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The store and the people of the others; a root of its own, as in a fresh repository, and its own service."""
    create_project("sample", "binary_classification", tmp_path)
    # A repository has one, and a revision.
    (tmp_path / "requirements.lock").write_bytes((ROOT / "requirements.lock").read_bytes())
    monkeypatch.setattr(examples, "__path__", [*examples.__path__, str(tmp_path / "examples")])
    port = free_port()
    monkeypatch.setenv("GATEWRIGHT_ROOT", str(tmp_path))
    monkeypatch.setenv("GATEWRIGHT_MODELS_DIR", "examples")
    monkeypatch.setenv("GATEWRIGHT_CODE_REVISION", "sample")
    monkeypatch.setenv("GATEWRIGHT_TARGET_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(latency, "HIGHEST_QUANTILE", 0.5)
    monkeypatch.setattr(latency, "BUDGET_SECONDS", 0)
    monkeypatch.setattr(approve, "POLL_SECONDS", 1)
    wiring.connect.cache_clear()
    services = wiring.connect()
    server = serve(services, "sample", port)
    yield World(services, tmp_path / "examples", world.people)
    server.should_exit = True
    wiring.connect.cache_clear()


def test_a_new_project_is_released_without_an_edit(project: World) -> None:
    """Held for a person because it is the first; no rule speaks against it; approved, it serves."""
    ended = project.retrain(PERIODS[1], [APPROVE], model="sample")
    assert ended.state.name == "Deployed", ended.error
    assert ended.view is not None
    assert ended.view.decision is not None
    bad = [str(r) for r in ended.view.decision.results if r.status != "passed" and r.severity != "shadow"]
    # What compares with a champion has nothing to compare with.
    assert all("champion" in one for one in bad), bad
    assert ended.view.candidate is not None
    assert project.serving("sample") == ended.view.candidate.artifact.sha256
