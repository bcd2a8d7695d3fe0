"""The ASGI wrapper: who calls, whether they may, and what is passed on to Prefect's own server."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from deployments.gateway import bodies
from deployments.gateway.documents import DocumentPages, is_document
from deployments.gateway.inside import Inside
from deployments.gateway.logins import Caller, Logins
from deployments.gateway.refusals import RefusalError, UnansweredError, reply
from deployments.gateway.routes import OPEN, Route, is_api, refuse_secrets, route_of, well_formed
from deployments.gateway.sockets import Sockets
from deployments.gateway.stamp import Stamps
from deployments.gateway.starts import Starts
from gatewright.core.errors import GatewrightError

__all__ = ["Gateway"]

ALLOWED = "People read, start deployments and resume waiting runs here, and nothing else."
# What Prefect and the browser need. Others say who created a run, or who calls: nobody says that here but the gateway.
_HEADERS = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"content-type",
        b"cookie",
        b"host",
        b"if-modified-since",
        b"if-none-match",
        b"prefect-csrf-client",
        b"prefect-csrf-token",
        b"range",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"user-agent",
        b"x-prefect-api-version",
        b"x-prefect-client-version",
    }
)

log = logging.getLogger("gatewright.gateway")


@dataclass(frozen=True)
class Gateway:
    """An ASGI app. ``active`` says whether the roster knows somebody today; ``origin`` is where pages may write from
    when a proxy logs people in."""

    inside: Inside
    logins: Logins
    starts: Starts
    stamps: Stamps
    documents: DocumentPages
    active: Callable[[str], bool]
    origin: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.inside.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await Sockets(self.inside, self.logins, self.origin)(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._http(scope, receive, send)
        except UnansweredError as problem:
            await reply(problem)(scope, receive, send)
        except RefusalError as problem:
            log.warning("%d for %s %s", problem.status, ascii(scope["method"]), ascii(scope["path"]))
            await reply(problem)(scope, receive, send)
        except GatewrightError as error:
            log.error("%s", ascii(str(error)))
            down = RefusalError(503, "The gateway cannot check this now: its log says why.")
            await reply(down)(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        caller = await self.logins.who(headers, client_of(scope))
        if caller is not None and caller.service and not is_document(path):
            await self.inside.app(self._as_us(scope, scope["headers"]), receive, send)
        elif not well_formed(path, scope.get("raw_path") or b""):
            raise RefusalError(403, ALLOWED)
        elif is_document(path):
            await self.documents(scope, receive, send, caller)
        elif not is_api(path) or path in OPEN:
            await self._open(scope, receive, send, caller)
        elif caller is None:
            raise RefusalError(401, "Unauthorized: log in as `name:secret`.")
        else:
            await self._person(scope, receive, send, caller)

    async def _open(self, scope: Scope, receive: Receive, send: Send, caller: Caller | None) -> None:
        """Health, and the UI's own files."""
        if scope["method"] not in ("GET", "HEAD"):
            raise RefusalError(403, ALLOWED)
        if caller is not None and caller.by_proxy and scope["path"].endswith("/ui-settings"):
            # Logged in already: the UI need not ask.
            settings = await self.inside.read(scope["path"])
            await JSONResponse({**settings, "auth": None})(scope, receive, send)
            return
        await self.inside.app({**scope, "headers": _kept(scope["headers"])}, _body(b"", receive), send)

    async def _person(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        route = route_of(scope["method"], scope["path"])
        if route is None:
            raise RefusalError(403, ALLOWED)
        if scope["method"] == "POST":
            self._refuse_other_pages(Headers(scope=scope), caller)
            body = await self._checked(scope, route, caller.name, await bodies.read(receive))
        else:
            refuse_secrets(scope["query_string"], {})
            body = b""
        headers = [*_kept(scope["headers"]), (b"content-length", str(len(body)).encode())]
        await self.inside.app(self._as_us(scope, headers), _body(body, receive), send)

    async def _checked(self, scope: Scope, route: Route, who: str, raw: bytes) -> bytes:
        """The body to pass on: written anew, so that what was checked is what Prefect reads."""
        body = bodies.parse(raw)
        refuse_secrets(scope["query_string"], body)
        if route.kind == "read":
            return json.dumps(body).encode() if raw.strip() else b""
        if not await asyncio.to_thread(self.active, who):
            raise RefusalError(403, f"{who} is not in the roster today.")
        rewritten = self.starts.rewritten if route.kind == "start" else self.stamps.rewritten
        log.info("%s: %s %s", who, route.kind, route.id)
        return json.dumps(await rewritten(route.id, who, body)).encode()

    def _refuse_other_pages(self, headers: Headers, caller: Caller) -> None:
        """Another site's page must not write with what the browser sends along by itself."""
        if headers.get("content-type", "application/json").partition(";")[0].strip().lower() != "application/json":
            raise RefusalError(415, "Send application/json.")
        # A browser that logged in to read documents may send that along; programs do not send this header at all.
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise RefusalError(403, "Only pages of this server may write.")
        if caller.by_proxy and headers.getlist("origin") != [self.origin]:
            raise RefusalError(403, "Only pages of this server may write.")

    def _as_us(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
        others = [(name, value) for name, value in headers if name.lower() != b"authorization"]
        return {**scope, "headers": [*others, (b"authorization", self.inside.authorization)]}


def client_of(scope: Scope) -> str:
    """The address that has connected; never what a header says of it."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _kept(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() in _HEADERS]


def _body(body: bytes, receive: Receive) -> Receive:
    """An ASGI channel that holds this body instead of the caller's, and then waits until they leave."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replaced() -> Message:
        if messages:
            return messages.pop()
        while (message := await receive())["type"] != "http.disconnect":
            pass
        return message

    return replaced
