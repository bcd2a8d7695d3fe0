"""Who calls: a person with name and secret, a person whom the proxy names, or the service."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers

from deployments.gateway.attempts import Attempts
from deployments.gateway.people import SERVICE, PeopleFile, SecretHash
from deployments.gateway.proxy import TrustedProxy
from deployments.gateway.refusals import RefusalError

__all__ = ["Caller", "Logins"]

REMEMBER_SECONDS = 300.0
MOST_REMEMBERED = 2000
# scrypt takes a core and 16 MiB each time: strangers must not get all of them.
AT_ONCE = 2


@dataclass(frozen=True)
class Caller:
    """``service`` may do everything; ``by_proxy``: a browser sends what proves the name without being asked."""

    name: str
    service: bool = False
    by_proxy: bool = False


class Logins:
    """Tells callers by what they send. What was verified is remembered under an HMAC, never as it was sent."""

    def __init__(
        self,
        people: PeopleFile,
        service_secret: str,
        proxy: TrustedProxy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._people = people
        self._service_secret = service_secret.encode()
        self._proxy = proxy
        self._clock = clock
        self._attempts = Attempts(clock)
        self._key = secrets.token_bytes(32)
        # Compared with for unknown names, so that they take as long as known ones.
        self._nobody = SecretHash.of(secrets.token_hex(16))
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._wrong: OrderedDict[bytes, float] = OrderedDict()
        self._turns: dict[str, asyncio.Lock] = {}
        self._scrypts = asyncio.Semaphore(AT_ONCE)

    async def who(self, headers: Headers, client: str) -> Caller | None:
        """None without a credential that holds. Raises RefusalError (429) while a name is slowed down."""
        named = self._proxy.name(headers, client) if self._proxy else None
        if named is not None:
            return Caller(named, by_proxy=True)
        given = headers.getlist("authorization")
        return await self.holder(_decoded(given[0])) if len(given) == 1 else None

    async def holder(self, credential: str) -> Caller | None:
        """Whose ``name:secret`` this is. Raises as `who`."""
        name, colon, secret = credential.strip().partition(":")
        if not colon or not secret:
            return None
        if name == SERVICE:
            right = hmac.compare_digest(secret.encode(), self._service_secret)
            return Caller(SERVICE, service=True) if right else None
        return Caller(name) if await self._is_right(name, secret) else None

    async def _is_right(self, name: str, secret: str) -> bool:
        state, hashes = self._people.current()
        # Strangers share one turn and one count of failures: what they make up takes no memory here.
        known = name if name in hashes else ""
        mac = hmac.digest(self._key, f"{state}\n{name}\n{secret}".encode(), hashlib.sha256)
        # A browser sends many requests at once: the first one asks, the others wait for what it finds.
        async with self._turns.setdefault(known, asyncio.Lock()):
            if self._fresh(self._right, mac):
                return True
            if self._fresh(self._wrong, mac):
                return False
            right = await self._compare(known, hashes.get(name, self._nobody).matches, secret)
            self._remember(self._right if right else self._wrong, mac)
            return right

    async def _compare(self, known: str, matches: Callable[[str], bool], secret: str) -> bool:
        wait = self._attempts.wait(known)
        if wait > 0:
            raise RefusalError(429, "Too many wrong secrets for this name: wait, then try again.", wait=math.ceil(wait))
        async with self._scrypts:
            right = await asyncio.to_thread(matches, secret) and known != ""
        if right:
            self._attempts.succeeded(known)
        else:
            self._attempts.failed(known)
        return right

    def _fresh(self, seen: OrderedDict[bytes, float], mac: bytes) -> bool:
        return self._clock() < seen.get(mac, -math.inf) + REMEMBER_SECONDS

    def _remember(self, seen: OrderedDict[bytes, float], mac: bytes) -> None:
        seen[mac] = self._clock()
        seen.move_to_end(mac)
        while len(seen) > MOST_REMEMBERED:
            seen.popitem(last=False)


def _decoded(header: str) -> str:
    """``name:secret`` of a Basic header (RFC 7617); empty for anything else."""
    scheme, _, payload = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(payload.strip().encode(), validate=True).decode()
    except (binascii.Error, UnicodeError):
        return ""
