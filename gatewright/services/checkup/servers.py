"""Prefect's server, its workers and deployments; the scoring service; the gateway that serves documents."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import httpx

from gatewright.core.errors import IntegrityError, StoreError
from gatewright.services.checkup.finding import Finding
from gatewright.services.prefect_api import PrefectApi, PrefectSettings
from gatewright.services.targets.base import Target

__all__ = ["DEPLOYMENTS", "look_at_documents", "look_at_prefect", "look_at_target"]

# Those of deployments/prefect.yaml.
DEPLOYMENTS = ("retrain", "release", "rollback", "monitor", "sweep", "check")
_SECONDS = 10.0


def look_at_prefect(settings: PrefectSettings, installed: str) -> Iterator[Finding]:
    """``installed``: the version of Prefect here. Raises ServerError when the server does not answer or refuses us."""
    if not settings.api_url:
        yield Finding("Prefect server", "WARN", "not named: PREFECT_API_URL is not set", "set it, if there is one.")
        return
    api = PrefectApi.connect(settings)
    server = api.version()
    login = "with a login" if settings.api_auth_string else "without a login"
    yield Finding("Prefect server", "OK", f"{server}, {login} ({settings.api_url})")
    if server.split(".")[:2] != installed.split(".")[:2]:
        remedy = "run the same minor version on both sides."
        yield Finding("Prefect server", "WARN", f"the server is {server}, this machine has {installed}", remedy)
    pools = api.deployments()
    yield _deployments(pools)
    for pool in dict.fromkeys(pool for pool in pools.values() if pool):
        yield _workers(pool, api.online_workers(pool))


def look_at_target(target: Target, url: str, heads: Callable[[], Mapping[str, str | None]]) -> Iterator[Finding]:
    """``heads``: model -> SHA-256 of what its channel names; where the store fails it is not compared.

    Raises TargetError when the service does not answer.
    """
    serving = target.serving()
    try:
        named = heads()
    except (StoreError, IntegrityError):
        yield Finding("scoring service", "OK", f"answers, and serves {(serving or 'nothing')[:12]} ({url})")
        return
    if serving is None:
        yield _nothing_served(url, deployed=any(named.values()))
        return
    model = next((model for model, head in named.items() if head == serving), None)
    if model is None:
        remedy = "no channel names it: release again, or roll back."
        yield Finding("scoring service", "WARN", f"serves {serving[:12]} ({url})", remedy)
    else:
        yield Finding("scoring service", "OK", f"serves {serving[:12]}, the head of {model} ({url})")


def _nothing_served(url: str, *, deployed: bool) -> Finding:
    found = f"serves nothing yet ({url})"
    if deployed:
        return Finding("scoring service", "WARN", found, "look at its log and /health.")
    return Finding("scoring service", "OK", found)


def look_at_documents(url: str | None) -> Iterator[Finding]:
    """Pages link to it, so it should answer; a login is no failure."""
    if url is None:
        yield Finding("documents", "WARN", "pages hold no links to reports", "set GATEWRIGHT_DOCUMENTS_URL.")
        return
    try:
        status = httpx.get(url, timeout=_SECONDS).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        remedy = "start the gateway, or correct GATEWRIGHT_DOCUMENTS_URL."
        yield Finding("documents", "FAIL", f"{url} does not answer: {type(error).__name__}", remedy)
        return
    yield Finding("documents", "OK" if status < 500 else "FAIL", f"{url} answers (HTTP {status})")


def _deployments(pools: Mapping[str, str | None]) -> Finding:
    missing = [name for name in DEPLOYMENTS if name not in pools]
    if missing:
        remedy = "prefect deploy --all --prefect-file deployments/prefect.yaml"
        return Finding("deployments", "FAIL", f"not registered: {', '.join(missing)}", remedy)
    return Finding("deployments", "OK", f"all {len(DEPLOYMENTS)} are registered")


def _workers(pool: str, online: Sequence[str]) -> Finding:
    if online:
        return Finding(
            f"work pool {pool}", "OK", f"{len(online)} {'worker is' if len(online) == 1 else 'workers are'} online"
        )
    remedy = f"prefect worker start --pool {pool}"
    return Finding(f"work pool {pool}", "FAIL", "no worker is online: runs stay Late", remedy)
