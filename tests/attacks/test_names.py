"""Names that attack: whatever somebody types as a name, no object lies outside its place and no sign is hidden."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gatewright.core.errors import GatewrightError, SpecError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.policy import Policy
from gatewright.core.records import Name
from gatewright.core.refs import DatasetRef
from gatewright.core.releases import Opening
from gatewright.core.roster import Machine, Person, Roster
from gatewright.core.spec import ModelSpec
from gatewright.services.channel_store import ChannelStore
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.holdout import HoldoutUses
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.prediction_log import PredictionLog
from gatewright.services.prediction_reader import PredictionReader
from gatewright.settings import Settings
from gatewright.wiring import build
from tests.fakes import MemoryStore
from tests.services.reports.example_view import NOON, OPENING, POLICY, SPEC

BAD = [
    "",
    ".",
    "..",
    "../../etc",
    "a/b",
    "a\\b",
    "/a",
    ".hidden",
    "-rf",
    "a b",
    "a\n",
    "a\x00b",
    "a\x1b[2J",
    "a\u202eb",
    "a\u200bb",
    "A",
    "аdmin",  # a Cyrillic letter
    "é",
    "%2e%2e",
    "a:b",
    "a" * 64,
]
ENTRY = LedgerEntry(kind="opened", release_id="r", actor="a", at=NOON)
KEYS = [{"key": "ssh-ed25519 " + "A" * 68, "added": "2026-01-01"}]


def changed(record: Any, **changes: Any) -> Any:
    """The record as a file or object would give it, with other values."""
    return type(record).model_validate({**record.model_dump(), **changes})


def person(**changes: Any) -> Person:
    return Person.model_validate({"id": "dana", "name": "Dana", "roles": ["r"], "joined": "2026-01-01", **changes})


RECORDS: dict[str, Callable[[str], object]] = {
    "model of a spec": lambda name: changed(SPEC, name=name),
    "sensitive feature": lambda name: changed(SPEC, sensitive=[{"name": name, "column": "sex"}]),
    "period": lambda name: changed(SPEC, data={**SPEC.data.model_dump(), "periods": ["1998", name]}),
    "perturbation": lambda name: changed(
        SPEC, perturbations=[{"name": name, "kind": "noise", "columns": ["speed"], "amount": 0.1}]
    ),
    "model of a policy": lambda name: changed(POLICY, model=name),
    "release": lambda name: changed(OPENING, release_id=name),
    "model of a release": lambda name: changed(OPENING, model=name),
    "person": lambda name: person(id=name),
    "role": lambda name: person(roles=[name]),
    "machine": lambda name: Machine.model_validate({"id": name, "role": "gateway", "keys": KEYS}),
    "owner": lambda name: Roster.model_validate(
        {"version": 1, "people": [person().model_dump()], "changed_by": {"owners": [name], "quorum": 1}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_a_name_is_checked_where_it_is_written_down(name: str) -> None:
    """In each record that a person or a run hands in, before anything is made of it."""
    assert (changed(SPEC), changed(POLICY), changed(OPENING)) == (SPEC, POLICY, OPENING)
    for place, made in RECORDS.items():
        with pytest.raises(ValidationError):
            pytest.fail(f"{place}: {made(name)!r}")


STORES: dict[str, Callable[[MemoryStore, str], object]] = {
    "evidence of a release": lambda store, name: EvidenceStore(store).write("opening", name, OPENING),
    "record of evidence": lambda store, name: EvidenceStore(store).write(name, "r1", OPENING),
    "evidence read": lambda store, name: EvidenceStore(store).read("opening", name, Opening),
    "evidence listed": lambda store, name: EvidenceStore(store).names(name),
    "ledger": lambda store, name: LedgerStore(store).append(name, ENTRY),
    "channel of a model": lambda store, name: ChannelStore(store).history(name, "production"),
    "channel": lambda store, name: ChannelStore(store).history("triage", name),
    "holdout": lambda store, name: HoldoutUses(store).uses(name, DatasetRef(name="d", files=())),
    "predictions": lambda store, name: PredictionLog(store, name),
    "predictions read": lambda store, name: PredictionReader(store).read_labels(name),
}


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_a_name_is_checked_again_where_it_becomes_part_of_a_key(name: str) -> None:
    """Whoever calls, and whatever was checked before; nothing is asked of the store."""
    store = MemoryStore()
    for place, use in STORES.items():
        with pytest.raises(SpecError):
            pytest.fail(f"{place}: {use(store, name)!r}")
    assert store.calls == []


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_a_model_is_looked_up_among_those_there_are(name: str, tmp_path: Path) -> None:
    """Its name is compared, and never becomes a path; the message shows no sign that a terminal obeys."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "model.yaml").write_text("outside")
    (tmp_path / "models" / "triage").mkdir(parents=True)
    (tmp_path / "models" / "triage" / "model.yaml").write_text("inside")
    services = build(
        Settings(root=tmp_path, models_dir=Path("models")), blob_store=MemoryStore(), record_store=MemoryStore()
    )
    with pytest.raises(GatewrightError, match="there is no model"):
        services.spec_dir(name)


def test_good_names_are_names() -> None:
    """The rule is not that all are refused."""
    for name in ("crash_triage", "r1-1998", "dana.reyes", "65", "a" * 63):
        assert TypeAdapter(Name).validate_python(name) == name
    assert changed(SPEC) == SPEC
    assert isinstance(changed(SPEC), ModelSpec)
    assert isinstance(changed(POLICY), Policy)
