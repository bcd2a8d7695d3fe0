"""WebSockets: people may listen to events and logs; only the service may speak.

Prefect's clients send the credential in a header of the handshake, in the first message
(``{"type": "auth", "token": "name:secret"}``), or in both.
"""

import json
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from deployments.gateway.inside import Inside
from deployments.gateway.logins import Caller, Logins
from deployments.gateway.refusals import RefusalError
from deployments.gateway.routes import STREAMS
from gatewright.core.errors import GatewrightError

__all__ = ["Sockets"]

POLICY_VIOLATION = 1008


class Sockets:
    """Exchanges the caller's token for the gateway's own; Prefect closes the socket when there is none."""

    def __init__(self, inside: Inside, logins: Logins, origin: str | None) -> None:
        self._inside = inside
        self._logins = logins
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            caller = await self._logins.who(headers, str((scope.get("client") or [""])[0]))
        except (RefusalError, GatewrightError):
            caller = None
        if not self._may_open(scope["path"], headers, caller):
            # Closed before it is accepted: the handshake is answered with 403.
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        await self._inside.app(self._as_us(scope), self._exchanging(scope["path"], receive, caller), send)

    def _may_open(self, path: str, headers: Headers, caller: Caller | None) -> bool:
        if caller is None:
            return "authorization" not in headers
        return caller.service or (path in STREAMS and self._is_ours(headers, caller))

    def _is_ours(self, headers: Headers, caller: Caller) -> bool:
        return not caller.by_proxy or headers.getlist("origin") == [self._origin]

    def _as_us(self, scope: Scope) -> dict[str, Any]:
        # Prefect looks at the first message only, and without the sub-protocol it refuses.
        others = [(name, value) for name, value in scope["headers"] if name.lower() != b"authorization"]
        return {**scope, "headers": others}

    def _exchanging(self, path: str, receive: Receive, caller: Caller | None) -> Receive:
        waiting = True

        async def exchange() -> Message:
            nonlocal waiting
            message = await receive()
            if message["type"] != "websocket.receive" or not waiting:
                return message
            waiting = False
            who = caller or await self._speaker(message)
            allowed = who is not None and (who.service or path in STREAMS)
            token = self._inside.auth_string if allowed else None
            return {"type": "websocket.receive", "text": json.dumps({"type": "auth", "token": token})}

        return exchange

    async def _speaker(self, message: Message) -> Caller | None:
        try:
            said = json.loads(message.get("text") or message.get("bytes") or b"")
            token = said.get("token") if isinstance(said, dict) and said.get("type") == "auth" else None
            return await self._logins.holder(token) if isinstance(token, str) else None
        except (ValueError, RecursionError, RefusalError, GatewrightError):
            return None
