"""Waivers in the store: nothing is ever lost, and nothing passes for another model's."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gatewright.core.errors import IntegrityError, StoreError
from gatewright.services.waivers import Waivers
from tests.core.waiver_examples import waiver
from tests.fakes import MemoryStore


def test_waivers_are_read_back_in_the_order_they_were_signed(memory_store: MemoryStore):
    """By any process; the same one twice is there once."""
    first, second = waiver(), waiver(rule="slow")
    for one in (first, second, first):
        Waivers(memory_store).add(one)
    assert Waivers(memory_store).of("example") == [first, second]
    assert Waivers(memory_store).models() == ["example"]
    assert Waivers(memory_store).of("other") == []


def test_of_people_who_sign_at_once_all_are_recorded(memory_store: MemoryStore):
    """Whoever comes second writes the next generation."""
    many = [waiver(reason=f"The new hosts arrive in May {n}.") for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: Waivers(memory_store).add(one), many))
    assert sorted(map(str, Waivers(memory_store).of("example"))) == sorted(map(str, many))


def test_a_waiver_of_another_model_in_the_chain_is_an_attack(memory_store: MemoryStore):
    """Copying a whole chain does not carry its waivers over."""
    Waivers(memory_store).add(waiver())
    for key, body in list(memory_store.objects.items()):
        memory_store.objects[key.replace("/example/", "/other/")] = body
    with pytest.raises(IntegrityError, match="a waiver for example"):
        Waivers(memory_store).of("other")


def test_an_edited_waiver_breaks_the_chain(memory_store: MemoryStore):
    """The next generation names the digest of the bytes that were."""
    for one in (waiver(), waiver(rule="slow")):
        Waivers(memory_store).add(one)
    key = "waivers/example/0000000001.json"
    memory_store.objects[key] = memory_store.objects[key].replace(b"in May", b"in Mai")
    with pytest.raises(IntegrityError, match="chain is broken"):
        Waivers(memory_store).of("example")


def test_a_store_that_is_down_is_no_empty_list(memory_store: MemoryStore):
    """Whoever asks for the waivers of a model gets them, or an error."""
    Waivers(memory_store).add(waiver())
    memory_store.fail("keys", StoreError("down.", where="store", remedy="wait."))
    with pytest.raises(StoreError):
        Waivers(memory_store).of("example")
