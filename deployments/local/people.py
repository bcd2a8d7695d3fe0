"""Keys and login secrets for the people and machines of a roster, so that all of it can be tried on one machine.

In production nobody makes keys for others: people add their own public keys to the roster.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import yaml

from deployments.gateway.people import SecretHash
from gatewright.core.roster import Machine, Person, PublicKey, Roster
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.ssh_signatures import new_key, public_key_of
from gatewright.services.text_files import read_text

__all__ = ["People", "make_people"]

_MACHINES: tuple[Literal["gateway", "pipeline"], ...] = ("gateway", "pipeline")
_HEADER = "# Made by deployments/local/people.py: the repository's roster, and keys for trying it out on one machine.\n"


@dataclass(frozen=True)
class People:
    """Where everything is. ``keys`` are the private keys and ``secrets`` the login secrets, by the person's id."""

    roster: Path
    people_file: Path
    gateway_key: Path
    pipeline_key: Path
    keys: dict[str, Path]
    secrets: dict[str, str]
    service_secret: str


def make_people(state: Path, roster_file: Path, *, since: date | None = None) -> People:
    """Make below ``state`` what is not there yet; only the owner may read any of it.

    New keys count from the day ``since`` on, in UTC; from today on by default.
    Raises SpecError when the roster cannot be read, SigningError when a key cannot be made.
    """
    given = _read(roster_file)
    folder = state / "people"
    (folder / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    names = [person.id for person in given.people]
    keys = {name: _key(folder / "keys" / name) for name in (*names, *_MACHINES)}
    everybody = _secrets(folder / "secrets.json", names)
    service_secret = everybody.pop("")
    return People(
        roster=_write_roster(state / "roster.yaml", given, keys, since or datetime.now(UTC).date()),
        people_file=_people_file(folder / "logins.yaml", everybody),
        gateway_key=keys["gateway"],
        pipeline_key=keys["pipeline"],
        keys={name: keys[name] for name in names},
        secrets=everybody,
        service_secret=service_secret,
    )


def _read(file: Path) -> Roster:
    return parse_yaml(read_text(file, remedy="name the roster, as a UTF-8 file."), Roster, where=str(file))


def _key(file: Path) -> Path:
    """A private key without a passphrase; its public half stands beside it with ``.pub``."""
    if not file.with_name(f"{file.name}.pub").exists():
        file.unlink(missing_ok=True)
        new_key(file, file.name)
    return file


def _write_roster(file: Path, given: Roster, keys: Mapping[str, Path], since: date) -> Path:
    """The roster with our public keys; a key that is in the file already keeps its day."""
    there = _read(file) if file.exists() else None
    known: tuple[Person | Machine, ...] = (*there.people, *there.machines) if there else ()
    days = {key.key: key.added for one in known for key in one.keys}

    def public(name: str) -> PublicKey:
        text = public_key_of(keys[name])
        return PublicKey(key=text, added=days.get(text, since))

    people = [person.model_copy(update={"keys": (*person.keys, public(person.id))}) for person in given.people]
    machines = [Machine(id=name, role=name, keys=(public(name),)) for name in _MACHINES]
    roster = given.model_copy(update={"people": tuple(people), "machines": (*given.machines, *machines)})
    body = yaml.safe_dump(roster.model_dump(mode="json", exclude_none=True), sort_keys=False, width=10_000)
    parse_yaml(body, Roster, where=str(file))
    return _write_private(file, _HEADER + body)


def _secrets(file: Path, names: list[str]) -> dict[str, str]:
    """A login secret for each name, and the service's own under the empty name."""
    known = json.loads(file.read_text()) if file.exists() else {}
    made = {name: known.get(name) or secrets.token_urlsafe(18) for name in ("", *names)}
    _write_private(file, json.dumps(made, indent=2) + "\n")
    return made


def _people_file(file: Path, everybody: Mapping[str, str]) -> Path:
    known = json.loads(file.read_text()) if file.exists() else {}
    hashes = {name: known.get(name) or str(SecretHash.of(secret)) for name, secret in everybody.items()}
    return _write_private(file, json.dumps(hashes, indent=2) + "\n")


def _write_private(file: Path, text: str) -> Path:
    """Under another name first, so that nobody ever reads half a file."""
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    return fresh.replace(file)
