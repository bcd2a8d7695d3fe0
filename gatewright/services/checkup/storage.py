"""Does the store keep its promises, is its clock ours, and does every hash chain still verify?"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from gatewright.services.blobs import BlobStore
from gatewright.services.channel_store import ChannelStore
from gatewright.services.checkup.finding import Finding, Status
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.store import ObjectStore
from gatewright.services.store_clock import MAX_SKEW
from gatewright.services.store_selftest import check_store

__all__ = ["look_at_chains", "look_at_clock", "look_at_protection", "look_at_store"]

# More than this is no network's doing.
_NOTICED = timedelta(seconds=15)


def look_at_store(store: ObjectStore, address: str) -> Iterator[Finding]:
    """The self-test, which writes and removes some small objects."""
    check_store(store)
    yield Finding("store", "OK", f"self-test passed ({address})")


def look_at_clock(store: ObjectStore, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Windows of approval and expiries mean nothing when the clocks differ."""
    skew = store.clock_skew(now)
    words = f"{abs(skew).total_seconds():.1f} s {'ahead of' if skew > timedelta(0) else 'behind'} this machine"
    status: Status = "OK" if abs(skew) <= _NOTICED else "WARN" if abs(skew) <= MAX_SKEW else "FAIL"
    remedy = "" if status == "OK" else "correct the clock that is wrong (chronyc tracking, timedatectl)."
    yield Finding("clock of the store", status, words, remedy)


def look_at_protection(records: ObjectStore, blobs: BlobStore) -> Iterator[Finding]:
    """What the buckets do against deletion; records are generations, which need no versions."""
    yield Finding("bucket of records", "OK", str(records.protection()))
    found = blobs.protection()
    kept = found.versioned or found.lockable
    remedy = "" if kept else "who may delete can delete evidence: a new bucket with versions or a lock, docs/store.md."
    yield Finding("bucket of blobs", "OK" if kept else "WARN", str(found), remedy)


def look_at_chains(ledger: LedgerStore, channels: ChannelStore, channel: str) -> Iterator[Finding]:
    """Reading verifies; raises IntegrityError for a chain that does not."""
    models = ledger.models()
    for model in models:
        yield Finding(f"ledger of {model}", "OK", f"verified, {len(ledger.entries(model))} entries")
        yield Finding(f"{channel} of {model}", "OK", f"verified, {len(channels.history(model, channel))} moves")
    if not models:
        yield Finding("ledgers", "OK", "none yet: no release was ever opened")
