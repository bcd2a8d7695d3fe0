"""``verify`` and ``export`` on the command line: the verdict first, one line a step, and exit codes that say it."""

import json
import subprocess
from pathlib import Path

import pytest

from gatewright.cli import main
from gatewright.core.checkpoints import Checkpoint
from gatewright.core.signatures import CHECKPOINT
from gatewright.services.ssh_signatures import armored
from tests.fakes import MemoryStore
from tests.services.audit_world import AuditWorld


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> AuditWorld:
    """One release that serves."""
    folder = tmp_path_factory.mktemp("year")
    (folder / "keys").mkdir()
    world = AuditWorld(folder, folder / "keys")
    world.govern()
    world.release("r1")
    world.checkpoint()
    return world


@pytest.fixture
def world(year: AuditWorld, monkeypatch: pytest.MonkeyPatch) -> AuditWorld:
    """The same over a store of its own, which the command line uses."""
    store = MemoryStore()
    store.objects = dict(year.store.objects)  # type: ignore[attr-defined]
    copied = AuditWorld(year.folder, year.keys, store)
    monkeypatch.setattr("gatewright.wiring.connect", lambda *, read_only: copied.process())
    return copied


def test_verify_says_the_verdict_first_and_one_line_a_step(
    world: AuditWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all models, when none is named."""
    assert main(["verify"]) == 0
    first, _, header, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("VERIFIED  ")
    assert header.split() == ["step", "of", "check", "found"]
    assert len(rows) == 20
    assert all(row.startswith("OK  ") for row in rows)


@pytest.mark.parametrize("subject", ["triage", "r1"])
def test_what_is_broken_is_said_with_a_remedy(
    world: AuditWorld, capsys: pytest.CaptureFixture[str], subject: str
) -> None:
    """Exit code 2, for the model and for the release; nothing moves the cursor."""
    body = world.store.objects["releases/r1/evaluate.json"]  # type: ignore[attr-defined]
    world.store.objects["releases/r1/evaluate.json"] = body.replace(b'"note":""', b'"note":"\\u001b[2J"', 1)  # type: ignore[attr-defined]
    assert main(["verify", subject]) == 2
    out = capsys.readouterr().out
    assert out.startswith("BROKEN  ")
    assert "records are not those that were decided on: evaluate" in out
    assert "\nevidence, release r1: stop and investigate" in out
    assert "\x1b" not in out


def test_what_could_not_be_done_is_no_success(world: AuditWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, with a checkpoint of one chain only; JSON has each step."""
    kept = next((world.checkpoints / "ledger" / "triage").iterdir()) / "checkpoint.json"
    moved = world.checkpoints.rename(world.folder / "mine")
    try:
        world.checkpoints.mkdir()
        assert (
            main(["verify", "triage", "--checkpoint", str(moved / kept.relative_to(world.checkpoints)), "--json"]) == 1
        )
    finally:
        world.checkpoints.rmdir()
        moved.rename(world.checkpoints)
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "unproven"
    assert [one["subject"] for one in found["findings"] if one["status"] == "unproven"] == [
        "chain channels/triage/production",
        "chain governance/policy/triage",
        "chain governance/roster/roster",
    ]


def test_a_checkpoint_that_was_not_compared_is_no_success(
    world: AuditWorld, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is the pipeline's, but of another model: exit code 1, although all else holds."""
    body = Checkpoint(log="ledger/other", size=1, head="0" * 64, at=world.now()).to_bytes()
    kept = tmp_path / "checkpoint.json"
    kept.write_bytes(body)
    signature = world.signer("pipeline").sign(body, namespace=CHECKPOINT)
    kept.with_name("checkpoint.json.sig").write_text(armored(signature))
    assert main(["verify", "triage"]) == 0
    assert main(["verify", "triage", "--checkpoint", str(kept)]) == 1
    assert "is of another chain than those that were looked at" in capsys.readouterr().out


def test_a_checkpoint_that_is_not_there_is_an_error_and_not_a_broken_ledger(
    world: AuditWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt file must not look like an attack."""
    assert main(["verify", "--checkpoint", "nowhere.json"]) == 1
    out, err = capsys.readouterr()
    assert (out, "there is no such checkpoint" in err) == ("", True)


def test_an_unknown_subject_is_an_error(world: AuditWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """An audit of nothing would be a success."""
    assert main(["verify", "triaeg"]) == 1
    assert "no release and no model begins with `triaeg`" in capsys.readouterr().err


def test_an_export_says_how_to_verify_it(world: AuditWorld, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """And what it says works."""
    assert main(["export", "r1", "--to", str(tmp_path / "out" / "r1"), "--with-blobs"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("r1: ")
    command = said.splitlines()[1].removeprefix("verify it: ")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.endswith("\nVERIFIED\n"), done.stdout


def test_an_export_over_something_is_refused(
    world: AuditWorld, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit code 1, and what was there stays."""
    (tmp_path / "notes").write_text("mine")
    assert main(["export", "r1", "--to", str(tmp_path)]) == 1
    assert "the bundle cannot be written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
