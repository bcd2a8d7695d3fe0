"""A bundle verifies with sh, sha256sum and ssh-keygen alone."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from gatewright.core.errors import SpecError
from tests.services.audit_world import AuditWorld
from tests.services.export.shell import Page, bundle, digest, run_step, shell


def test_every_step_passes_without_python(tools: Path, exported: Path) -> None:
    """One line a step, and exit code 0; the shell does not find Python."""
    assert shell(tools, exported, script="command -v python3").returncode != 0
    done = shell(tools, exported, "verify.sh")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASS  ") == len(Page.of(exported).steps) == 14
    assert done.stdout.endswith("\nVERIFIED\n")
    assert "FAIL" not in done.stdout + done.stderr


def test_the_page_prints_what_its_commands_print(tools: Path, exported: Path) -> None:
    """All blocks of VERIFY.md, run one after the other, print exactly what stands below them."""
    page = Page.of(exported)
    commands = "\n".join(f"echo '## {number}'\n{step[0]}" for number, step in enumerate(page.steps.values()))
    done = shell(tools, exported, script=f"{page.functions}\n{commands}\n")
    assert (done.returncode, done.stderr) == (0, "")
    printed = [part.split("\n", 1)[1].strip() for part in done.stdout.split("## ")[1:]]
    assert printed == [step[1] for step in page.steps.values()]


def test_a_first_release_verifies_from_a_tar_file(tools: Path, year: AuditWorld, tmp_path: Path) -> None:
    """No champion, other terms, no blobs; from another directory, and made twice, the file is the same."""
    bundle(year, "r1", tmp_path / "r1.tar")
    assert digest(bundle(year, "r1", tmp_path / "again.tar")) == digest(tmp_path / "r1.tar")
    with tarfile.open(tmp_path / "r1.tar") as tar:
        tar.extractall(tmp_path, filter="data")
    kept = sorted((year.checkpoints / "ledger" / "triage").iterdir())[-1]
    shutil.copytree(kept, tmp_path / "mine")
    done = shell(tools, tmp_path, "r1/verify.sh", "mine/checkpoint.json")
    assert (done.returncode, done.stdout.count("PASS  ")) == (0, 14), done.stdout


def test_a_step_that_fails_is_named_and_makes_the_exit_code(tools: Path, copy: Path) -> None:
    """The others are still run."""
    (copy / "approvals" / "2-lee.wong.sig").unlink()
    done = shell(tools, copy, "verify.sh")
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert (done.returncode, len(failed)) == (1, 2), done.stdout
    assert failed[0].startswith("FAIL  1. ")
    assert failed[1].startswith("FAIL  8. Who approved")
    assert done.stdout.endswith("\nNOT VERIFIED\n")


def test_a_file_that_was_put_beside_is_found(tools: Path, copy: Path) -> None:
    """It would look like a part of the evidence."""
    (copy / "evidence" / "answer-3.json").write_text("{}")
    assert "list of files" in run_step(tools, copy, "The files").stdout


def test_a_checkpoint_that_was_kept_shows_a_tail_cut_off(tools: Path, copy: Path, year: AuditWorld) -> None:
    """The bundle's own list and checkpoint were made to fit; the auditor's were not."""
    kept = sorted((year.checkpoints / "ledger" / "triage").iterdir())[-1] / "checkpoint.json"
    assert shell(tools, copy, "verify.sh", str(kept)).returncode == 0
    (copy / "ledger" / "0000000013.json").unlink()
    for name in ("verify.sh", "checkpoints/ledger.json", "checkpoints/ledger.json.sig"):
        (copy / name).write_text((copy / name).read_text().replace("checkpoint checkpoints/ledger.json\n", ":\n"))
    done = shell(tools, copy, "verify.sh", str(kept))
    assert done.returncode == 1
    assert "FAIL  Your own checkpoint" in done.stdout


def test_what_is_there_is_never_overwritten(year: AuditWorld, tmp_path: Path) -> None:
    """A bundle in the place of another could hide it."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("mine")
    (tmp_path / "r1.tar").write_text("mine")
    for to in ("full", "r1.tar"):
        with pytest.raises(SpecError, match="cannot be written"):
            bundle(year, "r1", tmp_path / to)
    assert (tmp_path / "r1.tar").read_text() == "mine"


def test_no_private_key_is_in_a_bundle(exported: Path, keys: Path) -> None:
    """Public keys are."""
    body = b"".join(path.read_bytes() for path in exported.rglob("*") if path.is_file())
    assert b"PRIVATE" not in body
    for key in (path for path in keys.iterdir() if path.suffix != ".pub"):
        secret = "".join(key.read_text().splitlines()[1:-1])
        assert secret[100:160].encode() not in body


def test_the_commands_hold_in_bash_too(exported: Path) -> None:
    """Many auditors have no dash."""
    done = subprocess.run(["bash", "verify.sh"], cwd=exported, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.endswith("\nVERIFIED\n")
