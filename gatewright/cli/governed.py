"""What the commands for policies and for the roster share: compare, sign, and tell what is and was in force."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from cyclopts import Parameter

from gatewright.cli.answering import confirm
from gatewright.cli.output import print_json
from gatewright.cli.signing import signing_person
from gatewright.core.errors import NotFoundError
from gatewright.core.governed import label
from gatewright.core.policy import Policy
from gatewright.core.roster import Roster
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import short, when
from gatewright.services.text_files import read_text

if TYPE_CHECKING:
    from gatewright.core.document_diff import Change
    from gatewright.core.governed import Document, DocumentKind
    from gatewright.core.in_force import InForce
    from gatewright.services.governance import Signing
    from gatewright.wiring import Services

__all__ = [
    "As",
    "At",
    "described_change",
    "nothing",
    "print_diff",
    "print_history",
    "print_in_force",
    "read_policy",
    "read_roster",
    "sign",
]

PASS, LOOSENED, MORE = 0, 2, 3
As = Annotated[str | None, Parameter(name="--as", help="Your id in the roster; left out: whose key it is.")]
At = Annotated[datetime | None, Parameter(name="--at", help="At this time instead of now, such as 2026-03-02T10:00.")]


def read_policy(path: Path) -> Policy:
    """Raises SpecError for a file that is no valid policy."""
    return parse_yaml(read_text(path), Policy, where=str(path))


def read_roster(path: Path) -> Roster:
    """Raises SpecError for a file that is no valid roster."""
    return parse_yaml(read_text(path), Roster, where=str(path))


def print_diff(changes: Sequence["Change"], *, as_json: bool) -> int:
    """Each change and which way it goes; the exit code says whether anything loosens."""
    if as_json:
        print_json([described_change(change) for change in changes])
    else:
        _print_changes(changes, empty="Nothing changes.")
    return LOOSENED if any(change.loosened for change in changes) else PASS


def sign(
    services: "Services",
    kind: "DocumentKind",
    name: str,
    document: "Document",
    *,
    key: Path,
    principal: str | None,
    reason: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Show what changes, ask, sign, and say what came of it. Raises ApprovalError, SigningError, SpecError."""
    from gatewright.services.ssh_signatures import SshSigner

    if kind == "policy":
        services.roster()  # a first one that nobody must sign comes into force here
    signer = SshSigner(key.expanduser())
    person = principal or signing_person(services, key).person.id
    current = services.governance.in_force(kind, name)
    changes = current.changes_to(document) if current else ()
    if not as_json:
        print(f"{label(kind, name)}: {_step(current, document)}")
        _print_changes(changes, empty="Nothing changes." if current else "This is the first version.")
    question = f"Sign as {person}: {label(kind, name)}, version {document.version}?"
    reason = confirm(reason, question, yes=yes, quiet=as_json)
    done = services.governance.sign(kind, name, document, signer, person, reason)
    if as_json:
        print_json({**_result(done), "changes": [described_change(change) for change in changes]})
    else:
        print(_told(document, done))
    return PASS if done.in_force else MORE


def print_history(services: "Services", kind: "DocumentKind", name: str, *, as_json: bool) -> int:
    """Every version, the last one last; each step was proven again before. Raises NotFoundError for none."""
    versions = services.governance.history(kind, name)
    if not versions:
        raise nothing(kind, name)
    if as_json:
        print_json([_facts(version) for version in versions])
        return PASS
    for version in versions:
        print(_headline(version))
        for said in version.entry.statements:
            print(f"  {said.principal}, {when(said.issued)}: {plain(said.reason)}")
        for sentence in version.entry.loosens:
            print(f"  loosened  {plain(sentence)}")
    return PASS


def print_in_force(services: "Services", kind: "DocumentKind", name: str, at: datetime | None, *, as_json: bool) -> int:
    """The document in force as YAML. Raises NotFoundError when there is none."""
    moment = services.now() if at is None else at if at.tzinfo else at.replace(tzinfo=UTC)
    found = services.governance.as_of(kind, name, moment)
    if found is None:
        raise nothing(kind, name)
    if as_json:
        print_json({**_facts(found), "document": found.entry.document})
        return PASS
    print(f"# {label(kind, name)}, {_headline(found)}")
    print(f"# sha256 of its canonical JSON: {found.sha256}")
    print(yaml.safe_dump(found.document.model_dump(mode="json", exclude_none=True), sort_keys=False, width=120), end="")
    return PASS


def _step(current: "InForce | None", document: "Document") -> str:
    return f"version {current.version} -> {document.version}" if current else f"version {document.version}"


def _told(document: "Document", done: "Signing") -> str:
    if done.in_force:
        return f"Version {document.version} is in force, signed by {', '.join(done.signers)}."
    more = "1 more owner must sign" if done.missing == 1 else f"{done.missing} more owners must sign"
    return f"Signed by {', '.join(done.signers)}; {more} before version {document.version} is in force."


def _headline(version: "InForce") -> str:
    entry = version.entry
    signers = ", ".join(said.principal for said in entry.statements) or f"nobody (by {plain(entry.actor)})"
    return f"version {version.version}  since {when(version.at)}  signed by {signers}  {short(version.sha256)}"


def _facts(version: "InForce") -> dict[str, Any]:
    entry = version.entry
    kept = entry.model_dump(mode="json", exclude={"document", "signatures"})
    return {**kept, "signed": [said.model_dump(mode="json") for said in entry.statements]}


def _result(done: "Signing") -> dict[str, Any]:
    version = None if done.in_force is None else done.in_force.version
    return {"signers": list(done.signers), "missing": done.missing, "in_force": version}


def described_change(change: "Change") -> dict[str, Any]:
    """For machines."""
    return {**change.model_dump(mode="json"), "counts_as_loosened": change.loosened}


def _print_changes(changes: Sequence["Change"], *, empty: str) -> None:
    for change in changes:
        print(f"  {change.direction:9} {plain(change)}")
    if not changes:
        print(f"  {empty}")


def nothing(kind: "DocumentKind", name: str) -> NotFoundError:
    """Nothing of this kind and name was ever in force."""
    return NotFoundError(
        f"no {plain(label(kind, name))[:80]} was in force.",
        where="record store",
        remedy="check the name and the time; the first release puts an unsigned first version in force.",
    )
