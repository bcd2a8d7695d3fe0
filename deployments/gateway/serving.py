"""Settings -> a running gateway."""

import logging
import os
import secrets

import uvicorn
from pydantic import ValidationError
from starlette.types import ASGIApp

from deployments.gateway.app import Gateway
from deployments.gateway.documents import DocumentPages
from deployments.gateway.inside import Inside
from deployments.gateway.logins import Logins
from deployments.gateway.people import PeopleFile
from deployments.gateway.proxy import TrustedProxy
from deployments.gateway.settings import GatewaySettings
from deployments.gateway.stamp import Stamps
from deployments.gateway.starts import Starts
from gatewright.core.errors import SpecError
from gatewright.services.pauses import Pauses
from gatewright.services.ssh_signatures import SshSigner
from gatewright.wiring import Services, connect

__all__ = ["gateway", "read_settings", "serve"]

_INSIDE = "PREFECT_SERVER_API_AUTH_STRING"


def read_settings() -> GatewaySettings:
    """Raises SpecError for a variable that is missing or wrong."""
    try:
        return GatewaySettings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "GATEWRIGHT_GATEWAY_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SpecError(f"{first['msg']}.", where=name.rstrip("_"), remedy="correct the variable.") from None


def gateway(settings: GatewaySettings, services: Services, inside: Inside) -> Gateway:
    """Raises SpecError and SigningError when people or key cannot be read."""
    people = PeopleFile(settings.people_file)
    people.current()

    def active(name: str) -> bool:
        person = services.roster().find(name)
        return person is not None and person.active(services.now().date())

    signer = SshSigner(settings.key_file)
    return Gateway(
        inside=inside,
        logins=Logins(people, settings.service_secret.get_secret_value(), _proxy(settings)),
        starts=Starts(inside, signer, services.now, services.settings.channel),
        stamps=Stamps(inside, Pauses(services.records), signer, services.now),
        documents=DocumentPages(services.documents, services.evidence, services.blobs, active),
        active=active,
        origin=settings.public_origin,
    )


def serve(host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises as `read_settings` and `gateway`."""
    settings = read_settings()
    inside = Inside(*_prefect())
    app = gateway(settings, connect(read_only=True), inside)
    _log_to_stderr()
    # Without `proxy_headers`: with it, a header could say where a request comes from.
    uvicorn.run(app, host=host, port=port, proxy_headers=False, server_header=False, log_level="info")


def _prefect() -> tuple[ASGIApp, str]:
    # Prefect reads its settings when it is imported. Its own authentication stays on behind the gateway.
    auth_string = os.environ.setdefault(_INSIDE, f"gateway:{secrets.token_urlsafe(32)}")
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings

    server = get_current_settings().server
    found = server.api.auth_string.get_secret_value() if server.api.auth_string else None
    if found != auth_string or server.api.base_path not in (None, "/api"):
        raise SpecError(
            "Prefect was loaded with other settings.",
            where="PREFECT_SERVER_API_BASE_PATH",
            remedy="leave it unset: the gateway guards `/api`.",
        )
    return create_app(final=True), auth_string


def _log_to_stderr() -> None:
    """Who started and answered what, and what was refused; Prefect's own loggers stay as they are."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("gatewright.gateway")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _proxy(settings: GatewaySettings) -> TrustedProxy | None:
    if settings.user_header is None or settings.proxy_secret is None:
        return None
    return TrustedProxy(settings.user_header, settings.proxy_secret.get_secret_value(), settings.proxies)
