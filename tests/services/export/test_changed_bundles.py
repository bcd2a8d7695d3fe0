"""What was changed in a bundle is found by the step that speaks of it, also where the list of digests fits."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.export.shell import digest, run_step


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / path).read_text()
        assert old in text, (path, old)
        (folder / path).write_text(text.replace(old, new, 1))

    return change


def swap(one: str, other: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
        (folder / one).write_bytes(second)
        (folder / other).write_bytes(first)

    return change


def remove(*paths: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for path in paths:
            (folder / path).unlink()

    return change


def signer_swapped(folder: Path) -> None:
    """Lee's key under Dana's name."""
    lines = (folder / "allowed_signers").read_text().splitlines()
    key = next(line.split(" ", 2)[2] for line in lines if line.startswith("lee.wong"))
    changed = [f"{line.rsplit(' ', 2)[0]} {key}" if line.startswith("dana.reyes") else line for line in lines]
    (folder / "allowed_signers").write_text("".join(f"{line}\n" for line in changed))


def relinked(name: str, n: int, text: str, new: str) -> Callable[[Path], None]:
    """Edit link ``n``, and write all links behind it anew: a chain that holds."""

    def change(folder: Path) -> None:
        edit(f"{name}/{n:010}.json", text, new)(folder)
        before = digest(folder / f"{name}/{n:010}.json")
        for path in sorted((folder / name).glob("*.json"))[n:]:
            path.write_text(re.sub(r'"[0-9a-f]{64}"}$', f'"{before}"}}', path.read_text()))
            before = digest(path)

    return change


def document_changed(folder: Path) -> None:
    """A policy with a lower bar, its digest and the chain made to fit; nobody signed it."""
    path = folder / "governance/policy/0000000002.json"
    link = json.loads(path.read_text())
    document = canonical(link["payload"]["document"]).replace('"minimum":0.75', '"minimum":0.05')
    new = hashlib.sha256(document.encode()).hexdigest()
    old = link["payload"]["document_sha256"]
    path.write_text(path.read_text().replace('"minimum":0.75', '"minimum":0.05').replace(old, new))


ATTACKS = {
    "a statement edited": ("Who approved", edit("approvals/1-dana.reyes.json", "every", "no")),
    "signatures exchanged": ("Who approved", swap("approvals/1-dana.reyes.sig", "approvals/2-lee.wong.sig")),
    "a signature removed": ("Who approved", remove("approvals/1-dana.reyes.sig")),
    "a statement about another model": (
        "Who approved",
        edit("approvals/1-dana.reyes.json", '"model_sha256":"', '"model_sha256":"0'),
    ),
    "an answer edited": ("Who approved", edit("evidence/answer-1.json", '"role":"release-manager"', '"role":"owner"')),
    "an approval taken out of the ledger": (
        "Who approved",
        relinked("ledger", 10, '"kind":"approved"', '"kind":"waived"'),
    ),
    "a signer swapped": ("Who may sign", signer_swapped),
    "a signer swapped, and approvals checked": ("Who approved", signer_swapped),
    "a roster edited": ("People were asked", edit("roster.json", '"roles":["data-scientist"]', '"roles":["owner"]')),
    "a policy edited": ("People were asked", edit("policy.json", '"minimum":0.75', '"minimum":0.05')),
    "a policy that nobody signed": ("Roster and policy", document_changed),
    "an owner's signature removed": ("Roster and policy", remove("governance/signatures/policy-2-sam.okafor.json")),
    "evidence edited": ("The evidence", edit("evidence/evaluate.json", '"value":0.858', '"value":0.958')),
    "evidence removed": ("The evidence", remove("evidence/fairness.json")),
    "another decision": ("The evidence", edit("evidence/decision.json", '"outcome":"promote"', '"outcome":"review"')),
    "another model's digest": ("The evidence", edit("model.sha256", "2", "3")),
    "a request edited": ("People were asked", edit("evidence/request.json", '"approvals":2', '"approvals":1')),
    "a tier of its own": ("The decision", edit("evidence/request.json", '"approvals":2', '"approvals":1')),
    "a ledger entry edited": ("Nothing was", edit("ledger/0000000004.json", "dana.reyes", "lou.reyes")),
    "a ledger entry removed": ("Nothing was", remove("ledger/0000000004.json")),
    "ledger entries exchanged": ("Nothing was", swap("ledger/0000000004.json", "ledger/0000000005.json")),
    "a ledger written anew": ("People were asked", relinked("ledger", 1, "kim.larsen", "lou.larsen")),
    "a channel move edited": ("Nothing was", edit("channel/0000000004.json", '"confirm"', '"deploy"')),
    "a channel written anew": ("The pipeline", relinked("channel", 5, "Complaints", "Compliments")),
    "another model in production": ("What was put", relinked("channel", 3, '"model_sha256":"', '"model_sha256":"0')),
    "another release in production": ("What was put", relinked("channel", 4, '"release_id":"r2"', '"release_id":"r1"')),
    "a second deployment": (
        "What was put",
        edit("channel/0000000006.json", '"operation":"back-1"', '"operation":"r2"'),
    ),
    "a seal for another move": ("The pipeline", swap("seals/3.sig", "seals/4.sig")),
    "why it was taken back": ("Who took", edit("rollbacks/5-dana.reyes.json", "Complaints", "Compliments")),
    "who took it back, in the record": ("Who took", edit("rollbacks/5.json", "dana.reyes", "lee.wong")),
    "the signature of a rollback removed": ("Who took", remove("rollbacks/5-dana.reyes.sig")),
    "a signed rollback called declared": ("Who took", edit("rollbacks/5.json", '"signed"', '"declared"')),
    "where it was taken back to": (
        "Who took",
        edit("rollbacks/5-dana.reyes.json", '"to_model_sha256":"', '"to_model_sha256":"0'),
    ),
    "a rollback moved in time": (
        "Who took",
        edit("rollbacks/5-dana.reyes.json", '"from_generation":4', '"from_generation":5'),
    ),
    "a rollback that the ledger does not have": (
        "Who took",
        relinked("ledger", 13, '"rollback":"', '"rollback":"0'),
    ),
    "the end of the ledger cut off": ("The chains", remove("ledger/0000000013.json")),
    "a checkpoint edited": ("The chains", edit("checkpoints/ledger.json", '"size":13', '"size":12')),
    "another model": ("The model and the data", lambda folder: next((folder / "blobs").iterdir()).write_bytes(b"x")),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_changed_is_found(tools: Path, copy: Path, name: str) -> None:
    """By its commands alone, as they stand in VERIFY.md."""
    title, change = ATTACKS[name]
    change(copy)
    assert run_step(tools, copy, title).returncode != 0


@pytest.mark.parametrize("title", sorted({title for title, _ in ATTACKS.values()}))
def test_each_of_these_steps_holds_where_nothing_was_changed(tools: Path, exported: Path, title: str) -> None:
    """So it is the change that was found."""
    assert run_step(tools, exported, title).returncode == 0


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
