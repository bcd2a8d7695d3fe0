"""``VERIFY.md`` and ``verify.sh``: the same commands, to be read and to be run."""

from collections.abc import Sequence
from importlib.resources import files

from gatewright.services.export.bundle import Bundle
from gatewright.services.export.steps import Step
from gatewright.services.reports.escape import md

__all__ = ["verify_page", "verify_script"]

_RUN = """
failed=0
run() {
  set +e
  said=$(set -e; "$1" 2>&1)
  status=$?
  set -e
  if [ "$status" -eq 0 ]; then echo "PASS  $2"; else echo "FAIL  $2"; failed=1; fi
  printf '%s\\n' "$said" | sed 's/^/      /'
}
"""
_END = """
if [ $# -gt 0 ]; then
  own() { checkpoint "$given"; }
  for given; do
    case $given in /*) ;; *) given=$here/$given ;; esac
    run own "Your own checkpoint, $given"
  done
else
  echo 'NOTE  No checkpoint of your own was given: sh verify.sh MY-CHECKPOINT.json'
fi
if [ "$failed" -eq 0 ]; then echo 'VERIFIED'; else echo 'NOT VERIFIED'; fi
exit "$failed"
"""


def verify_script(bundle: Bundle, steps: Sequence[Step]) -> str:
    """Every step as PASS or FAIL; its exit code is 1 when any fails."""
    lines = ["#!/bin/sh", f"# Verifies the release {bundle.release_id}. VERIFY.md explains each step."]
    lines += ["here=$PWD", 'case $0 in */*) cd "${0%/*}" ;; esac', functions(), variables(bundle), _RUN]
    for number, step in enumerate(steps, 1):
        body = "\n".join(f"  {command}" for command in step.commands)
        lines += [f"step_{number}() {{\n{body}\n}}", f"run step_{number} {_quoted(f'{number}. {step.title}')}", ""]
    return "\n".join([*lines, _END.lstrip()])


def functions() -> str:
    """What the commands call."""
    return files("gatewright.services.export").joinpath("functions.sh").read_text(encoding="utf-8")


def variables(bundle: Bundle) -> str:
    """Which release of which model on which channel: validated names, which need no quotes."""
    return f"release={bundle.release_id} model_name={bundle.opening.model} channel={bundle.channel}"


def verify_page(bundle: Bundle, steps: Sequence[Step]) -> str:
    """What is proven, by which commands, and what they print when it holds."""
    parts = [_head(bundle), _block("sh", f"{functions()}{variables(bundle)}")]
    for number, step in enumerate(steps, 1):
        parts += [f"## {number}. {step.title}", step.why, _block("sh", "\n".join(step.commands))]
        parts += ["prints", _block("text", "\n".join(step.prints))]
    return "\n\n".join([*parts, _tail(bundle)]) + "\n"


def _head(bundle: Bundle) -> str:
    opening = bundle.opening
    return f"""# Release {bundle.release_id} of {opening.model}

{_facts(bundle)}

## How to verify it
`sh verify.sh` runs all steps of this page and prints `PASS` or `FAIL` for each; `sh verify.sh MY-CHECKPOINT.json` also
holds the chains against a checkpoint that you kept. To go step by step, type `sh` in this directory and paste the
blocks one after the other: the shell ends at the first that does not hold. They need `sha256sum`, `ssh-keygen`
(OpenSSH 8.9 or later), `sed`, `awk`, `grep` and `find`, and nothing of the software that made the release.

Read the commands before you trust them: they came with the files. What is to be known from elsewhere is the digest of
the first roster (step *Roster and policy*), or a checkpoint, or the keys of people you can ask.

These are the functions that the steps call:"""


def _facts(bundle: Bundle) -> str:
    rows = [
        ("model", bundle.candidate.artifact.sha256 if bundle.candidate else "none"),
        ("evidence", bundle.root.digest if bundle.root else "none"),
        ("policy", bundle.opening.policy.sha256),
        ("roster", bundle.opening.roster.sha256),
        ("ended as", bundle.state),
        ("opened", f"{bundle.opening.opened_at:%Y-%m-%d %H:%M} by {bundle.opening.requested_by}"),
    ]
    rows += [
        (f"{one.decision} ({one.assurance})", f"{one.principal}, {one.role}, {one.at:%Y-%m-%d %H:%M}: {one.reason}")
        for one in bundle.approvals.values()
    ]
    rows += [
        ("break-glass", f"{one.principal}, {one.role}, {one.at:%Y-%m-%d %H:%M}: {one.reason}")
        for one in bundle.emergencies.values()
    ]
    rows += [("waiver", f"{one.statement.rule}: {one}") for one in bundle.waivers]
    lines = [f"| {md(name)} | {md(value)} |" for name, value in rows]
    return "\n".join(["| what | which |", "|---|---|", *lines])


def _tail(bundle: Bundle) -> str:
    missing = [text for absent, text in _not_proven(bundle) if absent]
    return "\n".join(["## What this does not prove", *(f"- {text}" for text in missing)])


def _not_proven(bundle: Bundle) -> list[tuple[bool, str]]:
    declared = [one.principal for one in bundle.approvals.values() if one.assurance == "declared"]
    typed = any(one.assurance == "declared" for one in bundle.rollbacks.values())
    return [
        (
            True,
            "That the measurements are right, and that the rules were applied rightly: the records are here to read, "
            "and `gatewright verify` computes the decision again from them.",
        ),
        (
            True,
            "When something was signed: signatures carry no time. The times are those that the run recorded, in the "
            "order of the chains. A key counts until the second in which it was revoked, that second included.",
        ),
        (
            not bundle.rosters,
            "Who may sign: no roster was ever put in force, so `roster.json` may have been made for this purpose.",
        ),
        (bool(declared), f"That {', '.join(declared)} answered: the name was typed, and nothing shows by whom."),
        (typed, "Who took a model back where it says *typed into a form*: nothing shows by whom."),
        (any(move.seal is None for move in bundle.moves), "That the pipeline moved the channel: a move has no seal."),
        (not bundle.paths("checkpoints"), "That the end of a chain was not cut off: there is no checkpoint here."),
        (
            "attestation.dsse.json" in bundle.files,
            "What `attestation.dsse.json` says, or `attestation-late.dsse.json` once a break-glass was approved: it is "
            "an in-toto statement in a DSSE envelope, signed with the pipeline's key as a raw Ed25519 key, for tools "
            "that read such envelopes; `ssh-keygen` does not.",
        ),
        (
            bundle.candidate is not None and not bundle.paths("blobs"),
            "That the model still exists: compare `model.sha256` with the file that serves.",
        ),
    ]


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
