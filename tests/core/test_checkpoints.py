"""What a checkpoint shows of a chain: that it holds, was cut, forked or written anew."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gatewright.core.checkpoints import Checkpoint, must_agree, verify_against
from gatewright.core.errors import IntegrityError
from gatewright.core.records import sha256_hex

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def chain(*entries: str) -> list[str]:
    """Digests of a chain: each is of the one before and the entry, as the links of generations are."""
    digests: list[str] = []
    for entry in entries:
        digests.append(sha256_hex(f"{digests[-1] if digests else ''}{entry}".encode()))
    return digests


def checkpoint(digests: list[str], size: int) -> Checkpoint:
    return Checkpoint(log="ledger/triage", size=size, head=digests[size - 1], at=NOON)


def test_a_chain_that_went_on_holds() -> None:
    """What is appended afterwards is no matter of the checkpoint."""
    signed = checkpoint(chain("a", "b"), 2)
    assert verify_against(signed, chain("a", "b")) == "holds"
    assert verify_against(signed, chain("a", "b", "c")) == "holds"
    assert must_agree([signed], chain("a", "b", "c")) == 2


def test_a_cut_tail_is_found() -> None:
    """Though the rest of the chain is perfect."""
    signed = checkpoint(chain("a", "b", "c"), 3)
    assert verify_against(signed, chain("a", "b")) == "tail cut"
    assert verify_against(signed, []) == "tail cut"
    with pytest.raises(IntegrityError, match="tail was cut: it had 3 entries on 2026-01-02, now 2"):
        must_agree([signed], chain("a", "b"))


def test_a_fork_is_told_from_a_rewritten_chain() -> None:
    """Up to the last checkpoint that holds it is the same chain; where none holds all of it is another."""
    true = chain("a", "b", "c", "d")
    signed = [checkpoint(true, size) for size in (4, 2)]
    with pytest.raises(IntegrityError, match=r"forked: up to entry 2 .* entry 4 is another") as caught:
        must_agree(signed, chain("a", "b", "x", "d"))
    assert caught.value.where == "ledger/triage"
    with pytest.raises(IntegrityError, match="rewritten: entry 2"):
        must_agree(signed, chain("x", "b", "c", "d"))


def test_two_histories_that_were_both_signed_for_cannot_both_hold() -> None:
    """A signer that says one thing here and another there is found by putting the two together."""
    here, there = chain("a", "b"), chain("a", "x")
    both = [checkpoint(here, 2), checkpoint(there, 2)]
    for digests in (here, there):
        with pytest.raises(IntegrityError):
            must_agree(both, digests)


def test_without_checkpoints_nothing_is_covered() -> None:
    """And it is said so: 0 entries."""
    assert must_agree([], chain("a")) == 0


@given(
    entries=st.lists(st.text(max_size=2), min_size=1, max_size=8),
    other=st.lists(st.text(max_size=2), max_size=8),
    data=st.data(),
)
def test_a_checkpoint_holds_for_exactly_the_chains_with_its_beginning(
    entries: list[str], other: list[str], data: st.DataObject
) -> None:
    """Whatever the other chain is."""
    size = data.draw(st.integers(1, len(entries)))
    signed = checkpoint(chain(*entries), size)
    assert (verify_against(signed, chain(*other)) == "holds") == (other[:size] == entries[:size])


@pytest.mark.parametrize("log", ["", "ledger", "ledger/", "ledger/..", "../ledger/x", "/ledger/x", "a/b/c/d/e", "a/B"])
def test_a_name_that_is_no_place_of_a_chain_is_refused(log: str) -> None:
    """It becomes a path."""
    with pytest.raises(ValidationError):
        Checkpoint(log=log, size=1, head="a" * 64, at=NOON)
