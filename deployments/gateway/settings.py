"""The gateway's own settings, from ``GATEWRIGHT_GATEWAY_*``; no other process needs them."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gatewright.settings import JSON_LIST

__all__ = ["GatewaySettings"]

Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$", to_lower=True)]
Secret = Annotated[SecretStr, Field(min_length=20)]


class GatewaySettings(BaseSettings):
    """Where people, key and secrets are.

    ``service_secret`` is what worker, flow runs and command line log in with, as ``service:<secret>``. The last four
    belong together: a reverse proxy at one of ``proxies`` (a JSON list of networks) that has logged somebody in names
    them in ``user_header``, and proves itself with ``proxy_secret`` in ``X-Gatewright-Proxy``. ``public_origin``
    is the proxy's own, such as ``https://prefect.example.com``: only pages from there may write.
    """

    model_config = SettingsConfigDict(env_prefix="GATEWRIGHT_GATEWAY_", extra="ignore", frozen=True)

    people_file: Path
    key_file: Path
    service_secret: Secret
    user_header: Header | None = None
    proxy_secret: Secret | None = None
    proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], *JSON_LIST] = ()
    public_origin: Annotated[str, StringConstraints(pattern=r"^https?://[^/]+$")] | None = None

    @model_validator(mode="after")
    def _all_of_a_proxy(self) -> Self:
        given = [self.user_header, self.proxy_secret, self.proxies or None, self.public_origin]
        if any(given) and not all(given):
            raise ValueError("user_header, proxy_secret, proxies and public_origin belong together")
        return self
