"""``gatewright doctor``: does the store keep its promises, and does every ledger still verify?"""

import platform
from importlib.metadata import PackageNotFoundError, version

from gatewright import __version__
from gatewright.cli.output import Json, print_json, print_table

__all__ = ["doctor"]

_PACKAGES = ("prefect", "great-expectations", "scikit-learn", "fairlearn", "skops", "pandas", "pyarrow", "boto3")


def doctor(*, as_json: Json = False) -> int:
    """Test the store, verify every ledger's hash chain, and print versions."""
    from gatewright.wiring import connect

    # Connecting runs the store's self-test and raises when it fails.
    services = connect()
    ledgers = {model: len(services.ledger.entries(model)) for model in services.ledger.models()}
    found = {"python": platform.python_version(), "gatewright": __version__}
    found |= {package: _version(package) for package in _PACKAGES}
    store = services.settings.store_endpoint_url or "AWS S3"
    if as_json:
        print_json({"store": store, "store_self_test": "passed", "ledgers": ledgers, "versions": found})
        return 0
    rows = [{"check": "store self-test", "found": f"passed ({store})"}]
    rows += [{"check": f"ledger of {model}", "found": f"verified, {n} entries"} for model, n in ledgers.items()]
    rows += [{"check": package, "found": installed} for package, installed in found.items()]
    print_table(rows, empty="")
    return 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
