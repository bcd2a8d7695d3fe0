"""Keys and secrets for trying it out: made once, for the owner's eyes alone, and good for what they are for."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import yaml

from deployments.gateway.people import PeopleFile
from deployments.local.people import make_people
from gatewright.core.roster import Roster
from gatewright.core.signatures import APPROVAL
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.ssh_signatures import SshSignatures, SshSigner

GIVEN = Path(__file__).parents[2] / "policies" / "roster.yaml"


def read(file: Path) -> Roster:
    return parse_yaml(file.read_text(), Roster, where=str(file))


def test_the_roster_names_everybody_with_the_key_they_sign_with(tmp_path: Path):
    """People and roles are the repository's; each key verifies what its file signs."""
    people = make_people(tmp_path, GIVEN)
    roster, given = read(people.roster), read(GIVEN)
    assert [(p.id, p.roles) for p in roster.people] == [(p.id, p.roles) for p in given.people]
    now = datetime.now(UTC)
    for person in roster.people:
        blob = SshSigner(people.keys[person.id]).sign(b"m", namespace=APPROVAL)
        assert SshSignatures().signer(b"m", blob, namespace=APPROVAL, keys=person.keys_at(now))
    for machine, key in (("gateway", people.gateway_key), ("pipeline", people.pipeline_key)):
        assert roster.machine_keys(machine, now) == (SshSigner(key).public_key,)


def test_each_secret_logs_its_person_in(tmp_path: Path):
    """And nobody else."""
    people = make_people(tmp_path, GIVEN)
    _, hashes = PeopleFile(people.people_file).current()
    assert hashes.keys() == people.secrets.keys()
    assert hashes["dana.reyes"].matches(people.secrets["dana.reyes"])
    assert not hashes["dana.reyes"].matches(people.secrets["sam.okafor"])


def test_nothing_is_made_twice_and_who_joins_is_added(tmp_path: Path):
    """A second start keeps every key and secret, and the day from which each key counts."""
    first = make_people(tmp_path, GIVEN)
    before = read(first.roster)
    assert make_people(tmp_path, GIVEN) == first
    grown = yaml.safe_load(GIVEN.read_text())
    grown["version"] += 1
    grown["people"].append({"id": "new.person", "name": "New", "roles": ["auditor"], "joined": "2026-01-01"})
    file = tmp_path / "grown.yaml"
    file.write_text(yaml.safe_dump(grown))
    second = make_people(tmp_path, file)
    after = read(second.roster)
    assert after.people[: len(before.people)] == before.people
    assert second.secrets.items() > first.secrets.items()
    assert after.people[-1].id == "new.person"


def test_only_the_owner_may_read_keys_and_secrets(tmp_path: Path):
    """Public keys are public; nothing else is."""
    make_people(tmp_path, GIVEN)
    private = [f for f in (tmp_path / "people").rglob("*") if f.is_file() and f.suffix != ".pub"]
    assert len(private) >= 8
    assert {stat.S_IMODE(f.stat().st_mode) for f in [*private, tmp_path / "roster.yaml"]} == {0o600}
