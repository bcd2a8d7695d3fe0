"""Who may call the scoring service: whoever shows a bearer token, one for asking and another for reporting outcomes.

Forged rows and labels can make the monitor ask for a rollback. Without tokens the service is for programs of this
machine alone: it must listen on loopback, be called by a name of loopback, and not for a page in somebody's browser
or for those behind a proxy.
Specification: RFC 6750, sections 2.1 and 3.
"""

import hmac
import ipaddress
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from pydantic import SecretStr

from gatewright.core.errors import SpecError

__all__ = ["Tokens", "admitting", "tokens_for"]

# Of `secrets.token_urlsafe(32)`, which has 256 bits, these are the first 192.
MIN_TOKEN_CHARACTERS = 32
_SETTINGS = ("GATEWRIGHT_SCORING_TOKEN", "GATEWRIGHT_LABELS_TOKEN")
# What browsers and proxies say of those for whom they call.
_OTHERS = ("origin", "forwarded", "x-forwarded-for", "via")
_NEW = 'write in each what `python -c "import secrets; print(secrets.token_urlsafe(32))"` prints.'


@dataclass(frozen=True)
class Tokens:
    """What callers show: for ``/score``, and for ``/labels``. Never printed."""

    scoring: SecretStr
    labels: SecretStr


def tokens_for(host: str, scoring: SecretStr | None, labels: SecretStr | None) -> Tokens | None:
    """What a service that listens on ``host`` asks for; None on loopback, where none is set.

    Raises SpecError when one token is missing or too short, both are the same, or others reach a service without.
    """
    if scoring is None and labels is None:
        if _is_loopback(host):
            return None
        raise _refused(f"a service on {host[:80]} is reached by others, and no token is set", " and ".join(_SETTINGS))
    for name, token in zip(_SETTINGS, (scoring, labels), strict=True):
        if token is None or not _is_strong(token.get_secret_value()):
            raise _refused(f"a token must have at least {MIN_TOKEN_CHARACTERS} visible ASCII characters", name)
    assert scoring is not None
    assert labels is not None
    if scoring == labels:
        raise _refused("both tokens are the same: whoever may ask could report outcomes", " and ".join(_SETTINGS))
    return Tokens(scoring, labels)


def admitting(token: SecretStr | None) -> type[APIRoute]:
    """Routes that look at who calls before they read what is sent. None: programs of this machine."""

    class Admitting(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()

            async def admitted(request: Request) -> Response:
                _require(request, token)
                return await handler(request)

            return admitted

    return Admitting


def _require(request: Request, token: SecretStr | None) -> None:
    if token is not None:
        if not _shows(request, token.get_secret_value()):
            error = "this needs the header `Authorization: Bearer TOKEN` with the token of this route."
            raise HTTPException(401, error, headers={"WWW-Authenticate": "Bearer"})
    elif any(name in request.headers for name in _OTHERS) or not _is_loopback(_host(request)):
        # A page of another site, one whose name was made to point at this machine, or somebody behind a proxy.
        raise HTTPException(403, f"without {' and '.join(_SETTINGS)} only programs of this machine are answered.")


def _shows(request: Request, token: str) -> bool:
    """Whether the header holds the token; how long it takes does not depend on how much of it is right."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    # Starlette decodes headers as Latin-1.
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode("latin-1"), token.encode("ascii"))


def _host(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_strong(token: str) -> bool:
    return len(token) >= MIN_TOKEN_CHARACTERS and all("!" <= character <= "~" for character in token)


def _refused(problem: str, where: str) -> SpecError:
    return SpecError(f"{problem}.", where=where, remedy=_NEW)
