"""Names from a reverse proxy that has logged people in itself, with OpenID Connect for one."""

import hmac
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.datastructures import Headers

from deployments.gateway.people import SERVICE
from gatewright.core.errors import SpecError
from gatewright.services.store import valid_name

__all__ = ["PROOF_HEADER", "TrustedProxy"]

PROOF_HEADER = "x-gatewright-proxy"


@dataclass(frozen=True)
class TrustedProxy:
    """Believed only from its own address, with its own secret."""

    user_header: str
    secret: str
    networks: tuple[IPv4Network | IPv6Network, ...]

    def name(self, headers: Headers, client: str) -> str | None:
        """Whom the proxy has logged in; None for anything that does not come from it, or names nobody plainly."""
        names, proofs = headers.getlist(self.user_header), headers.getlist(PROOF_HEADER)
        if len(names) != 1 or len(proofs) != 1 or not self._is_at(client):
            return None
        if not hmac.compare_digest(proofs[0].encode("latin-1"), self.secret.encode()):
            return None
        try:
            name = valid_name(names[0])
        except SpecError:
            return None
        return None if name == SERVICE else name

    def _is_at(self, client: str) -> bool:
        try:
            address = ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self.networks)
