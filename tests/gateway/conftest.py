"""A real Prefect server behind a real gateway: one child process for all tests here."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.local.people import People, make_people
from deployments.local.processes import free_port
from gatewright.services.embedded_store import EmbeddedStore
from gatewright.services.pauses import PauseNote, Pauses
from gatewright.services.store import S3Store

ROOT = Path(__file__).parents[2]
PROXY_SECRET = "the-secret-of-the-reverse-proxy"
ORIGIN = "https://prefect.example.com"
BUCKET = "gateway-records"
NOTE = PauseNote(release_id="example-1", request_sha256="ab" * 32, evidence_root="cd" * 32, nonce="ef" * 32)
ROSTER = """
version: 1
people:
  - {id: dana.reyes, name: Dana, roles: [release-manager], joined: 2024-03-01}
  - {id: kim.larsen, name: Kim, roles: [data-scientist], joined: 2025-01-10}
  - {id: lou.gone, name: Lou, roles: [release-manager], joined: 2023-01-01, left: 2024-01-01}
"""
# What the approval form asks, as Prefect keeps it.
FORM = {
    "type": "object",
    "properties": {name: {"type": "string", "minLength": 3} for name in ("decision", "approver", "reason", "token")},
    "required": ["decision", "approver", "reason", "token"],
}


class PatientTransport(httpx.HTTPTransport):
    """Asks again while SQLite is busy, which Prefect answers with 503 before anything has happened."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(20):
            answer = super().handle_request(request)
            if answer.status_code != 503:
                break
            answer.close()
            time.sleep(0.5)
        return answer


@dataclass
class Server:
    """The gateway's address, and everything that its callers know."""

    url: str
    people: People
    pauses: Pauses
    store: S3Store

    def as_person(self, name: str = "dana.reyes", **headers: str) -> httpx.Client:
        return self.client(name, self.people.secrets[name], **headers)

    def as_service(self) -> httpx.Client:
        return self.client("service", self.people.service_secret)

    def client(self, name: str, secret: str, **headers: str) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, auth=(name, secret), headers=headers, timeout=30, transport=PatientTransport()
        )

    def anonymous(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, transport=PatientTransport())

    def flow(self) -> str:
        with self.as_service() as client:
            return str(client.post("/api/flows/", json={"name": "release"}).json()["id"])

    def deployment(self, names: Sequence[str] = ("model", "period", "requested_by", "actor")) -> str:
        """One whose parameters say who asks."""
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
        given = {"name": uuid.uuid4().hex, "flow_id": self.flow(), "parameter_openapi_schema": schema}
        with self.as_service() as client:
            return str(client.post("/api/deployments/", json=given).json()["id"])

    def waiting_run(
        self, key: str = "approval-1", note: PauseNote | None = NOTE, *, pause_key: str | None = None
    ) -> str:
        """A run that is paused with the form, as Prefect's own library leaves it; under another key when given."""
        with self.as_service() as client:
            run_id = str(client.post("/api/flow_runs/", json={"flow_id": self.flow()}).json()["id"])
            keyset = {part: f"paused-{key}-{part}" for part in ("schema", "response", "description")}
            texts = {keyset["schema"]: json.dumps(FORM), keyset["description"]: '"Read the evidence."'}
            for name, value in texts.items():
                planted = client.post(f"/api/flow_runs/{run_id}/input", json={"key": name, "value": value})
                assert planted.status_code == 201
            details = {"pause_key": pause_key or key, "pause_reschedule": False, "run_input_keyset": keyset}
            details["pause_timeout"] = "2099-01-01T00:00:00Z"
            paused = {"state": {"type": "PAUSED", "name": "Paused", "state_details": details}, "force": True}
            assert client.post(f"/api/flow_runs/{run_id}/set_state", json=paused).json()["status"] == "ACCEPT"
        if note is not None:
            self.pauses.write(run_id, key, note)
        return run_id

    def stored_answer(self, run_id: str, key: str = "approval-1") -> dict[str, str]:
        """What the flow would read."""
        with self.as_service() as client:
            answer = client.get(f"/api/flow_runs/{run_id}/input/paused-{key}-response")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def state_of(self, run_id: str) -> str:
        with self.as_service() as client:
            return str(client.get(f"/api/flow_runs/{run_id}").json()["state"]["name"])


@pytest.fixture(scope="session")
def server(seaweed: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Passwords from the credential file, and names from a proxy on loopback."""
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "people.yaml").write_text(ROSTER)
    people = make_people(folder, folder / "people.yaml")
    location = seaweed.location(BUCKET)
    store = S3Store(location)
    store.ensure_bucket()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    assert location.secret_access_key is not None
    environment = {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "GATEWRIGHT_ROOT": str(ROOT),
        "GATEWRIGHT_ROSTER": str(people.roster),
        "GATEWRIGHT_STORE_ENDPOINT_URL": str(location.endpoint_url),
        "GATEWRIGHT_STORE_ACCESS_KEY_ID": str(location.access_key_id),
        "GATEWRIGHT_STORE_SECRET_ACCESS_KEY": location.secret_access_key.get_secret_value(),
        "GATEWRIGHT_RECORD_BUCKET": BUCKET,
        "GATEWRIGHT_BLOB_BUCKET": BUCKET,
        "GATEWRIGHT_GATEWAY_PEOPLE_FILE": str(people.people_file),
        "GATEWRIGHT_GATEWAY_KEY_FILE": str(people.gateway_key),
        "GATEWRIGHT_GATEWAY_SERVICE_SECRET": people.service_secret,
        "GATEWRIGHT_GATEWAY_USER_HEADER": "X-Forwarded-User",
        "GATEWRIGHT_GATEWAY_PROXY_SECRET": PROXY_SECRET,
        "GATEWRIGHT_GATEWAY_PROXIES": '["127.0.0.1/32"]',
        "GATEWRIGHT_GATEWAY_PUBLIC_ORIGIN": ORIGIN,
    }
    with (folder / "gateway.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "deployments.gateway", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(lambda: httpx.get(f"{url}/api/health", timeout=2).status_code == 200, child, folder / "gateway.log")
        yield Server(url, people, Pauses(store), store)
    finally:
        child.kill()
        child.wait()


def _wait(ready: Callable[[], Any], child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert child.poll() is None, log.read_text()[-3000:]
        try:
            if ready():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-3000:])
