"""The real thing: Prefect server, identity gateway, worker, scoring service and store, some of them killed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.figures import FIGURES

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_a_release_survives_its_server_and_its_workers(tmp_path: Path):
    """Server and worker are killed while it waits, the worker again while it promotes: a new run finishes it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.killed_servers", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    FIGURES.count("server and workers killed", points=3, recoveries=3)
    assert found["while it promoted"] == ["deploy"]
    assert found["ended"] == "deployed"
    assert found["moves"] == ["deploy", "confirm"]
    assert len(found["events"]) == len(set(found["events"])) + found["events"].count("approved") - 1
    assert found["answers"] == 1
