"""Whatever the bytes are: a value that prints as it was, or one of our own errors; nothing else, and no long wait."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.channels import ChannelEntry
from gatewright.core.checkpoints import Checkpoint
from gatewright.core.errors import ApprovalError, GatewrightError, IntegrityError, SpecError
from gatewright.core.ledger import LedgerEntry
from gatewright.core.policy import Policy, parse_rules
from gatewright.core.records import Record, canonical_json
from gatewright.core.roster import Roster
from gatewright.core.spec import ModelSpec
from gatewright.core.statements import Approval, ApprovalStatement, GatewayStamp, statement_for
from gatewright.core.strict_yaml import MAX_BYTES, parse_yaml
from gatewright.core.tokens import MAX_TOKEN, parse_token, token_of
from gatewright.services.dsse import opened_envelope
from gatewright.services.generations import Generation, GenerationLog
from gatewright.services.pauses import PauseNote
from tests.core.examples import DIGEST, NOW, policy, request, roster
from tests.fakes import MemoryStore
from tests.fuzz.mutations import damaged_bytes, damaged_yaml, hostile_json
from tests.services.reports.example_view import CANDIDATE, DATA, OPENING, SPEC, STAGES, example_view

ROOT = Path(__file__).parents[2]
FILES = {
    ROOT / "policies/crash_triage.yaml": Policy,
    ROOT / "policies/roster.yaml": Roster,
    ROOT / "examples/crash_triage/model.yaml": ModelSpec,
}
ENTRY = LedgerEntry(kind="opened", release_id="r1", actor="kim.larsen", at=NOW, digests={"opening": DIGEST})
MOVE = ChannelEntry(
    action="deploy", release_id="r1", model_sha256=DIGEST, actor="a", reason="b", operation="r1", at=NOW
)
APPROVAL = Approval(
    request=DIGEST, decision="approve", principal="a", role="b", reason="c", assurance="declared", at=NOW
)
STATEMENT = statement_for(request(), principal="dana.reyes", meaning="approve", reason="a good reason", issued=NOW)
GENERATION = Generation(n=1, previous_sha256="0" * 64, nonce="ab" * 16, payload=ENTRY.model_dump(mode="json"))
CHECKPOINT = Checkpoint(log="ledger/triage", size=3, head=DIGEST, at=NOW)
NOTE = PauseNote(release_id="r1", request_sha256=DIGEST, evidence_root=DIGEST, nonce=DIGEST)
ENVELOPE = canonical_json(
    {
        "payload": "e30=",
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": DIGEST, "sig": base64.b64encode(bytes(64)).decode()}],
    }
)
PUBLIC = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
KEY = PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
RECORDS: list[Record] = [
    CHECKPOINT, NOTE,
    ENTRY, MOVE, APPROVAL, STATEMENT, GENERATION, OPENING, DATA, CANDIDATE, SPEC, STAGES["evaluate"], request(),
    policy(), roster(), example_view().decision,
]  # fmt: skip
TOKEN = token_of(STATEMENT.to_bytes(), b"SSHSIG" + bytes(60))


def _all_records(kind: type[Record] = Record) -> set[type[Record]]:
    below = set(kind.__subclasses__())
    return below.union(*(_all_records(one) for one in below))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
@given(st.data())
@settings(max_examples=40)
def test_stored_records_are_read_as_they_were_written_or_not_at_all(record: Record, data: st.DataObject):
    """A byte changed anywhere gives another record in canonical form, or an IntegrityError."""
    assert type(record).from_bytes(record.to_bytes(), where="here") == record
    body = data.draw(damaged_bytes(record.to_bytes()) | hostile_json)
    try:
        read = type(record).from_bytes(body, where="here")
    except IntegrityError:
        return
    assert type(record).from_bytes(read.to_bytes(), where="here") == read


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
@given(st.data())
@settings(max_examples=40)
def test_what_people_write_is_read_or_refused_with_its_place(file: Path, data: st.DataObject):
    """Aliases, depth, NaN, tags, half a file: a valid document that survives the store, or a SpecError."""
    text = data.draw(damaged_yaml(file.read_text()) | st.text(max_size=200))
    refusal = ""
    try:
        read = parse_yaml(text, FILES[file], where="file.yaml")
    except SpecError as error:
        refusal = error.where
    if refusal:
        assert refusal.startswith("file.yaml")
        return
    assert FILES[file].from_bytes(read.to_bytes(), where="here") == read


@given(damaged_yaml((ROOT / "policies/crash_triage.yaml").read_text()))
@settings(max_examples=40)
def test_rules_for_the_command_line_are_read_or_refused(text: str):
    """Either form of them."""
    with suppress(SpecError):
        parse_rules(text, where="rules.yaml")


@given(damaged_bytes(TOKEN.encode()) | hostile_json | st.just(TOKEN.encode() * 50))
@settings(max_examples=200)
def test_tokens_are_read_as_they_were_printed_or_refused(body: bytes):
    """And what is in them is a statement in canonical form, or an ApprovalError."""
    text = body.decode("utf-8", "replace")
    try:
        token = parse_token(text)
    except ApprovalError:
        return
    assert len(text) <= MAX_TOKEN
    assert parse_token(token_of(*token)) == token
    assert isinstance(token.kind, str)
    for kind in (ApprovalStatement, GatewayStamp):
        try:
            read = token.read(kind)
        except ApprovalError:
            continue
        assert read.to_bytes() == token.body


@given(damaged_bytes(ENVELOPE) | hostile_json)
@settings(max_examples=150)
def test_an_envelope_that_nobody_signed_is_refused(body: bytes):
    """Whatever its JSON, base64 or payload type; no library's own error comes through."""
    with pytest.raises(IntegrityError):
        opened_envelope(body, "application/vnd.in-toto+json", [KEY], where="here")


@given(st.sampled_from(sorted(_all_records(), key=lambda kind: kind.__qualname__)), hostile_json)
@settings(max_examples=200)
def test_no_kind_of_record_takes_hostile_bytes(kind: type[Record], body: bytes):
    """Nor raises anything but our own error for them."""
    with suppress(IntegrityError):
        assert kind.from_bytes(body, where="here").to_bytes() == body


@given(st.data())
@settings(max_examples=100)
def test_a_damaged_chain_is_refused(data: st.DataObject):
    """Three links, of which one is changed, moved, doubled, taken away or joined by a stranger."""
    store = MemoryStore()
    log = GenerationLog(store, "log")
    for n in range(3):
        log.append({"n": n}, expected=n)
    victim = data.draw(st.sampled_from(sorted(store.objects)))
    whole = dict(store.objects)
    for key, body in data.draw(st.sampled_from(list(_attacks(store.objects, victim)))):
        store.objects.pop(key, None)
        if body is not None:
            store.objects[key] = body if body != b"damage" else data.draw(damaged_bytes(whole[victim]))
    try:
        found = GenerationLog(store, "log").all()
    except GatewrightError:
        return
    # What is left is a beginning of the chain as it was: only a checkpoint sees that its tail is gone.
    assert [one.to_bytes() for one in found] == [whole[key] for key in sorted(whole)][: len(found)] or victim == max(
        whole
    )


def _attacks(objects: dict[str, bytes], victim: str) -> Iterator[list[tuple[str, bytes | None]]]:
    other = min(key for key in objects if key != victim)
    yield [(victim, b"damage")]
    yield [(victim, None)]
    yield [(victim, objects[other])]
    yield [(victim, objects[other]), (other, objects[victim])]
    yield [("log/0000000004.json", objects[victim])]
    yield [("log/stranger.json", b"{}")]
    yield [("log/0000000009.json", objects[victim])]


@pytest.mark.parametrize("text", ["a: 1\n" * (MAX_BYTES // 4), "[" * 100_000, "a: &a [*a]", "- " * 20_000])
def test_large_deep_and_growing_documents_are_refused_before_they_are_built(text: str):
    """By their size, their depth and their first alias."""
    with pytest.raises(SpecError, match=r"larger|deeper|aliases|not valid|mapping"):
        parse_yaml(text, Policy, where="file.yaml")
