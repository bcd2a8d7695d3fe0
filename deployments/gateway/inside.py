"""Prefect's own server, as the gateway calls it."""

import base64
from typing import Any

import httpx
from starlette.types import ASGIApp

from deployments.gateway.refusals import RefusalError

__all__ = ["Inside"]


class Inside:
    """The wrapped app, and the credential that it takes from the gateway alone."""

    def __init__(self, app: ASGIApp, auth_string: str) -> None:
        self.app = app
        self.auth_string = auth_string
        self.authorization = b"Basic " + base64.b64encode(auth_string.encode())

    async def read(self, path: str) -> dict[str, Any]:
        """GET a JSON object. Raises RefusalError with the server's own status when there is none."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
            answer = await client.get(path, headers={"Authorization": self.authorization.decode()})
        if answer.status_code != 200:
            raise RefusalError(answer.status_code, "Prefect does not find what the address names.")
        found = answer.json()
        assert isinstance(found, dict)
        return found
