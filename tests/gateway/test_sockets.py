"""WebSockets: people listen, only the service speaks; Prefect's own clients work through the gateway."""

import asyncio
import base64
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prefect import get_client
from prefect.events import Event
from prefect.events.clients import get_events_client, get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.gateway.conftest import ORIGIN, PROXY_SECRET, Server

OUT = ("events/out", "logs/out")
IN = ("events/in", "task_runs/subscriptions/scheduled", "work_pools/gatewright/workers/connect")


def credential(server: Server, name: str) -> str:
    return f"{name}:{server.people.service_secret if name == 'service' else server.people.secrets[name]}"


@contextmanager
def opened(server: Server, path: str, **headers: str) -> Iterator[ClientConnection]:
    url = f"{server.url.replace('http', 'ws')}/api/{path}"
    with connect(url, subprotocols=["prefect"], additional_headers=headers) as socket:  # type: ignore[list-item]
        yield socket


def greeted(server: Server, path: str, token: str | None, **headers: str) -> bool:
    """Whether the first message is taken for a login."""
    with opened(server, path, **headers) as socket:
        socket.send(json.dumps({"type": "auth", "token": token}))
        try:
            return bool(json.loads(socket.recv(timeout=10))["type"] == "auth_success")
        except ConnectionClosed:
            return False


def basic(server: Server, name: str) -> str:
    return "Basic " + base64.b64encode(credential(server, name).encode()).decode()


@pytest.mark.parametrize("path", OUT)
def test_people_listen_with_their_own_token(server: Server, path: str) -> None:
    """The token that Prefect's UI and clients send is exchanged for the gateway's own; any other closes the socket."""
    assert greeted(server, path, credential(server, "dana.reyes"))
    assert greeted(server, path, credential(server, "service"))
    for wrong in ("dana.reyes:wrong", "", None, "gateway:guessed", "service:" + "x" * 30):
        assert not greeted(server, path, wrong)


@pytest.mark.parametrize("path", IN)
def test_only_the_service_speaks(server: Server, path: str) -> None:
    """A person who could send events would set off whatever waits for them."""
    assert greeted(server, path, credential(server, "service"))
    assert not greeted(server, path, credential(server, "dana.reyes"))
    with pytest.raises(InvalidStatus, match="403"), opened(server, path, Authorization=basic(server, "dana.reyes")):
        pass


def test_a_login_in_the_handshake_counts_too(server: Server) -> None:
    """As Prefect's events client sends it; a wrong one is refused before the socket opens."""
    assert greeted(server, "events/in", credential(server, "service"), Authorization=basic(server, "service"))
    assert greeted(server, "events/out", None, Authorization=basic(server, "dana.reyes"))
    with pytest.raises(InvalidStatus, match="403"), opened(server, "events/out", Authorization="Basic bm9ib2R5Ong="):
        pass


def test_a_socket_without_the_sub_protocol_is_refused(server: Server) -> None:
    """Prefect's legacy mode asks nobody who they are."""
    url = f"{server.url.replace('http', 'ws')}/api/events/in"
    with pytest.raises(InvalidStatus, match="403"):
        connect(url)


def test_another_site_s_page_cannot_listen_with_a_proxy_s_cookie(server: Server) -> None:
    """Browsers open sockets to any site, with that site's cookies; their Origin says where from."""
    named = {"X-Forwarded-User": "dana.reyes", "X-Gatewright-Proxy": PROXY_SECRET}
    assert greeted(server, "events/out", None, Origin=ORIGIN, **named)
    with (
        pytest.raises(InvalidStatus, match="403"),
        opened(server, "events/out", Origin="https://evil.example", **named),
    ):
        pass


def test_prefect_s_own_clients_work_through_the_gateway(server: Server) -> None:
    """With PREFECT_API_AUTH_STRING: the service emits an event, and a person hears it, reads runs and makes nothing."""
    asyncio.run(_spoken_and_heard(server))


async def _spoken_and_heard(server: Server) -> None:
    name = f"gatewright.{uuid.uuid4().hex}"
    event = Event(event=name, resource={"prefect.resource.id": "gatewright.test"})
    with as_client(server, "dana.reyes"):
        wanted = EventFilter(event=EventNameFilter(name=[name]))
        async with get_events_subscriber(filter=wanted) as events:
            with as_client(server, "service"):
                async with get_client() as client, get_events_client(checkpoint_every=1) as emitter:
                    assert await client.api_healthcheck() is None
                    await emitter.emit(event)
            assert (await anext(aiter(events))).event == name
        async with get_client() as client:
            assert len(await client.read_flow_runs(limit=1)) <= 1
            with pytest.raises(PrefectHTTPStatusError, match="403"):
                await client.create_flow_from_name("another")


@contextmanager
def as_client(server: Server, name: str) -> Iterator[None]:
    with temporary_settings({PREFECT_API_URL: f"{server.url}/api", PREFECT_API_AUTH_STRING: credential(server, name)}):
        yield
