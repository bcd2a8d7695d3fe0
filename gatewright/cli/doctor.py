"""``gatewright doctor``: does every part of an installation work, and what to do where one does not?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from gatewright.cli.output import Json, Page, print_json

if TYPE_CHECKING:
    from gatewright.core.policy import Policy
    from gatewright.core.roster import Roster
    from gatewright.services.checkup import Check, Finding
    from gatewright.wiring import Services

__all__ = ["doctor"]

OK, FAILED = 0, 2
_WORST_FIRST = ("FAIL", "WARN", "OK")
_WIDTH = 4


def doctor(*, as_json: Json = False) -> int:
    """Look at packages, store, clock, ledgers, keys, messages, servers, workers. Exit code 0 all well, 2 one fails.

    Nothing secret is shown, and a broken part does not stop the others from being looked at.

    Example: gatewright doctor
    """
    from gatewright.services.checkup import look

    findings = list(look(_checks()))
    failed = [one for one in findings if one.status == "FAIL"]
    if as_json:
        print_json({"status": "FAIL" if failed else "OK", "findings": [asdict(one) for one in findings]})
    else:
        _print(findings)
    return FAILED if failed else OK


def _checks() -> "Iterator[Check]":
    """In the order in which one part needs the other."""
    from importlib.metadata import version

    from gatewright.services.checkup import Check, versions
    from gatewright.services.checkup.servers import look_at_prefect
    from gatewright.services.prefect_api import PrefectSettings

    yield Check("packages", versions.look_at_packages)
    yield Check("ssh-keygen", versions.look_at_tools)
    yield Check("settings", _settings_hold)
    services = _services()
    if services is not None:
        yield from _of_services(services)
    yield Check("Prefect server", lambda: look_at_prefect(PrefectSettings(), version("prefect")))


def _settings_hold() -> "Iterator[Finding]":
    from gatewright.services.checkup import Finding
    from gatewright.wiring import read_settings

    settings = read_settings()
    yield Finding("settings", "OK", f"root {settings.root}, channel {settings.channel}")


def _services() -> "Services | None":
    """Without what signs: a key that cannot be used must not stop the rest. None where the settings do not hold."""
    from gatewright import wiring
    from gatewright.core.errors import SpecError

    try:
        settings = wiring.read_settings()
    except SpecError:
        return None
    records, blobs = wiring.stores(settings)
    unsigned = settings.model_copy(update={"pipeline_key": None, "checkpoints": None})
    return wiring.build(unsigned, blob_store=blobs, record_store=records)


def _of_services(services: "Services") -> "Iterator[Check]":
    from gatewright.services.checkup import Check, servers, signing, storage
    from gatewright.services.targets.scoring_service import ScoringServiceTarget
    from gatewright.wiring import read_settings

    settings, records, now = read_settings(), services.records, services.now
    directory = settings.path(settings.checkpoints) if settings.checkpoints else None
    key = settings.path(settings.pipeline_key) if settings.pipeline_key else None
    target, url = ScoringServiceTarget(settings.target_url), settings.target_url
    yield Check("store", partial(storage.look_at_store, records, settings.store_endpoint_url or "AWS S3"))
    yield Check("clock of the store", partial(storage.look_at_clock, records, now))
    yield Check("buckets", partial(storage.look_at_protection, records, services.blobs))
    yield Check("ledgers", partial(storage.look_at_chains, services.ledger, services.channels, settings.channel))
    yield Check("pipeline key", lambda: signing.look_at_key(key, lambda: _roster(services), now()))
    yield Check("checkpoints", partial(signing.look_at_checkpoints, directory))
    yield Check("scoring service", lambda: servers.look_at_target(target, url, lambda: _heads(services)))
    yield from _of_notices(services)
    yield Check("documents", partial(servers.look_at_documents, settings.documents_url))


def _of_notices(services: "Services") -> "Iterator[Check]":
    from gatewright.services.checkup import Check, notices
    from gatewright.services.notifications import read_routes

    settings, now = services.settings, services.now()
    routes = partial(read_routes, settings.path(settings.notifications))
    yield Check("notifications", lambda: notices.look_at_routes(routes(), lambda: _roster(services), _blocks(), now))
    yield Check("escalation", lambda: notices.look_at_escalation(routes(), _roster(services), _policies(services), now))


def _blocks() -> "Callable[[str, str], bool] | None":
    from gatewright.services.prefect_api import PrefectApi, PrefectSettings

    settings = PrefectSettings()
    return PrefectApi.connect(settings).has_block if settings.api_url else None


def _policies(services: "Services") -> "list[Policy]":
    """That of each model with a spec: the one in force, or the file where none is; looking puts none in force."""
    from gatewright.core.policy import Policy
    from gatewright.core.strict_yaml import parse_yaml
    from gatewright.services.text_files import read_text

    settings, found = services.settings, []
    for folder in sorted(path.parent for path in settings.path(settings.models_dir).glob("*/model.yaml")):
        spec = services.spec(folder.name)
        known = services.governance.in_force("policy", spec.name)
        path = services.project_files.path("policy", spec.policy)
        found.append(known.policy if known else parse_yaml(read_text(path), Policy, where=str(path)))
    return found


def _heads(services: "Services") -> dict[str, str | None]:
    """Model -> what its channel names."""
    found = {model: services.channels.head(model, services.settings.channel) for model in services.ledger.models()}
    return {model: head[1].model_sha256 if head else None for model, head in found.items()}


def _roster(services: "Services") -> "Roster":
    """The roster in force, or the file where none is: looking puts nothing in force."""
    from gatewright.core.governed import ROSTER_NAME
    from gatewright.core.roster import Roster
    from gatewright.core.strict_yaml import parse_yaml
    from gatewright.services.text_files import read_text

    found = services.governance.in_force("roster", ROSTER_NAME)
    if found is not None:
        return found.roster
    path = services.settings.path(services.settings.roster)
    return parse_yaml(read_text(path), Roster, where=str(path))


def _print(findings: "Sequence[Finding]") -> None:
    page = Page()
    counts = {status: sum(one.status == status for one in findings) for status in _WORST_FIRST}
    worst = next(status for status in _WORST_FIRST if counts[status] or status == "OK")
    words = [f"{counts['OK']} of {len(findings)} are well", f"{counts['WARN']} to look at", f"{counts['FAIL']} fail"]
    page.line("; ".join(words), label=worst, label_width=_WIDTH + 1)
    page.line("")
    for one in sorted(findings, key=lambda one: _WORST_FIRST.index(one.status)):
        page.line(f"{one.part}: {one.found}", label=one.status, label_width=_WIDTH + 1)
        if one.remedy:
            page.line(f"remedy: {one.remedy}", indent=_WIDTH + 2)
