"""``gatewright doctor``: does the store keep its promises, and does every hash chain still verify?"""

import platform
from importlib.metadata import PackageNotFoundError, version

from gatewright import __version__
from gatewright.cli.output import Json, print_json, print_table

__all__ = ["doctor"]

_PACKAGES = ("prefect", "great-expectations", "scikit-learn", "fairlearn", "skops", "pandas", "pyarrow", "boto3")


def doctor(*, as_json: Json = False) -> int:
    """Test the store and its clock, verify the hash chains of every ledger and of its channel, and print versions."""
    from gatewright.services.store_clock import require_one_time
    from gatewright.wiring import connect

    # Connecting runs the store's self-test and raises when it fails.
    services = connect()
    require_one_time(services.records, services.now)
    buckets = {"records": str(services.records.protection()), "blobs": str(services.blobs.protection())}
    channel = services.settings.channel
    ledgers = {model: len(services.ledger.entries(model)) for model in services.ledger.models()}
    moves = {model: len(services.channels.history(model, channel)) for model in ledgers}
    found = {"python": platform.python_version(), "gatewright": __version__}
    found |= {package: _version(package) for package in _PACKAGES}
    store = services.settings.store_endpoint_url or "AWS S3"
    if as_json:
        tested = {"store": store, "store_self_test": "passed", "buckets": buckets}
        print_json({**tested, "ledgers": ledgers, "moves": moves, "versions": found})
        return 0
    rows = [{"check": "store self-test", "found": f"passed ({store})"}]
    rows += [{"check": f"bucket of {name}", "found": protection} for name, protection in buckets.items()]
    rows += [{"check": f"ledger of {model}", "found": f"verified, {n} entries"} for model, n in ledgers.items()]
    rows += [{"check": f"{channel} of {model}", "found": f"verified, {n} moves"} for model, n in moves.items()]
    rows += [{"check": package, "found": installed} for package, installed in found.items()]
    print_table(rows, empty="")
    return 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
