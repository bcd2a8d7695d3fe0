"""Documents of releases behind the gateway: who may read them, what a browser may do with them, and tricks."""

import asyncio
import base64
import http.client
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from deployments.gateway.app import Gateway
from deployments.gateway.documents import DocumentPages
from deployments.gateway.inside import Inside
from deployments.gateway.logins import Logins
from deployments.gateway.people import PeopleFile, SecretHash
from deployments.gateway.stamp import Stamps
from deployments.gateway.starts import Starts
from gatewright.core.results import StageEvidence
from gatewright.services.blobs import BlobStore
from gatewright.services.documents import Documents, WrittenDocuments
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.pauses import Pauses
from gatewright.services.releases import Releases
from gatewright.services.reports.documents import DOCUMENTS
from gatewright.services.store import ObjectStore
from tests.fakes import FakeSigner, MemoryStore
from tests.gateway.conftest import Server
from tests.services.reports.example_view import NOON

SERVICE = "the-secret-of-programs"
SECRET = "dana-s own: secret"
CARD = "/gatewright/releases/triage-1/model-card.md"
DOCS = "/gatewright/releases/triage-1/data-docs/training/index.html"
CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def fill(store: ObjectStore, cache: Path, release_id: str) -> None:
    """Every document, one page of Data Docs, and the records beside them that nobody may fetch here."""
    blobs, evidence = BlobStore(store, cache), EvidenceStore(store)
    documents = {kind.name: blobs.put(f"the {kind.name}".encode(), kind.media_type) for kind in DOCUMENTS}
    evidence.write("documents-ended", release_id, WrittenDocuments(version="1", revision="0" * 40, documents=documents))
    artifacts = {
        "training/data-docs/index.html": blobs.put(b"<script>alert(1)</script>", "text/html"),
        "training/data-docs/static/logo.svg": blobs.put(b"<svg onload=alert(1)>", "image/svg+xml"),
        "training/gx-result.json": blobs.put(b"{}", "application/json"),
    }
    given = {"stage": "validate", "started_at": NOON, "finished_at": NOON + timedelta(seconds=1), "inputs": {}}
    stage = StageEvidence.model_validate({"release_id": release_id, "artifacts": artifacts, **given})
    evidence.write("validate", release_id, stage)


async def prefect(scope: Scope, receive: Receive, send: Send) -> None:
    """Whatever reaches the server behind the gateway is seen by its words."""
    await PlainTextResponse("prefect")(scope, receive, send)


class House:
    """The gateway in this process, over a store in memory; ``active`` are those whom the roster knows today."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.active = {"dana.reyes"}
        fill(self.store, folder / "cache", "triage-1")
        people = folder / "people.yaml"
        people.write_text(f"dana.reyes: {SecretHash.of(SECRET)}\n")
        people.chmod(0o600)
        blobs, evidence = BlobStore(self.store, folder / "cache"), EvidenceStore(self.store)
        releases = Releases(evidence, LedgerStore(self.store), blobs, lambda: NOON)
        inside = Inside(prefect, "inside:secret")
        self.gateway = Gateway(
            inside=inside,
            logins=Logins(PeopleFile(people), SERVICE),
            starts=Starts(inside, FakeSigner("gateway"), lambda: NOON, "production"),
            stamps=Stamps(inside, Pauses(self.store), FakeSigner("key"), lambda: NOON),
            documents=DocumentPages(Documents(releases, evidence, blobs), evidence, blobs, self.active.__contains__),
            active=self.active.__contains__,
        )

    def ask(self, path: str, method: str = "GET", *, login: tuple[str, str] | None, **headers: str) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.gateway)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway", auth=login) as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(once())

    def as_dana(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        return self.ask(path, method, login=("dana.reyes", SECRET), **headers)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture
def house(shared: House) -> Iterator[House]:
    objects = dict(shared.store.objects)
    yield shared
    shared.store.objects = objects
    shared.active.add("dana.reyes")


@pytest.fixture(scope="module")
def filled(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A real server whose store holds the documents of ``crash-1``."""
    fill(server.store, tmp_path_factory.mktemp("filled"), "crash-1")
    return server


def test_every_document_is_read_by_its_file_name(house: House) -> None:
    """The stored bytes, with a type that a browser shows and cannot take for another one."""
    for kind in DOCUMENTS:
        answer = house.as_dana(f"/gatewright/releases/triage-1/{kind.filename}")
        assert (answer.status_code, answer.text) == (200, f"the {kind.name}")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert ("text/html" in answer.headers["content-type"]) == (kind.media_type == "text/html")


@pytest.mark.parametrize("path", [CARD, DOCS])
def test_a_page_can_do_nothing_for_its_reader(house: House, path: str) -> None:
    """No script, no form, no frame, no request, no trace in a cache or in the next address."""
    headers = house.as_dana(path).headers
    assert headers["content-security-policy"] == CSP
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_data_docs_are_shown_and_what_is_no_page_is_only_saved(house: House) -> None:
    """An SVG runs scripts where a picture would not."""
    assert house.as_dana(DOCS).text == "<script>alert(1)</script>"
    logo = house.as_dana(DOCS.replace("index.html", "static/logo.svg"))
    assert (logo.status_code, logo.headers["content-type"]) == (200, "application/octet-stream")


def test_a_browser_is_asked_to_log_in_only_where_nothing_is_written(house: House) -> None:
    """Without a login, with a wrong one: 401 with a challenge here, and without one anywhere else."""
    for login in (None, ("dana.reyes", "wrong"), ("nobody", SECRET)):
        answer = house.ask(CARD, login=login)
        assert (answer.status_code, "card" in answer.text) == (401, False)
        assert answer.headers["www-authenticate"].startswith("Basic realm=")
        assert answer.headers["content-security-policy"] == CSP
    assert "www-authenticate" not in house.ask("/api/flow_runs/filter", "POST", login=None).headers
    assert house.ask("/gatewright/releases/unheard-of/model-card.md", login=None).status_code == 401


def test_whoever_left_reads_no_documents(house: House) -> None:
    """A secret outlives a job; the roster says who works here today."""
    house.active.clear()
    answer = house.as_dana(CARD)
    assert (answer.status_code, "the model-card" in answer.text) == (403, False)


def test_programs_read_documents_too_and_the_prefix_never_reaches_prefect(house: House) -> None:
    """The service's credential opens all; but here nobody is asked what Prefect would answer."""
    assert house.ask(CARD, login=("service", SERVICE)).text == "the model-card"
    assert house.ask("/gatewright/x", login=("service", SERVICE)).status_code == 404
    assert house.ask("/gatewrights/x", login=None).text == "prefect"


@pytest.mark.parametrize(
    "path",
    [
        "/gatewright",
        "/gatewright/",
        "/gatewright/releases/triage-1",
        "/gatewright/releases/triage-1/",
        "/gatewright/releases/unheard-of/model-card.md",
        "/gatewright/releases/triage-1/model-card",
        "/gatewright/releases/triage-1/decision.json",
        "/gatewright/releases/triage-1/documents-ended.json",
        "/gatewright/releases/TRIAGE-1/model-card.md",
        "/gatewright/releases/triage-1/model-card.md/",
        "/gatewright/releases/triage-1/x/model-card.md",
        "/gatewright/releases/triage-1/data-docs/training/gx-result.json",
        "/gatewright/releases/triage-1/data-docs/evaluation/index.html",
        "/gatewright/releases/triage-1/data-docs/training/data-docs/index.html",
        "/gatewright/releases/triage-1/data-docs/validate/index.html",
        "/gatewright/releases/triage-1/data-docs/training/index.html;x",
        "/gatewright/releases/unheard-of/data-docs/training/index.html",
        "/gatewright/releases/.../model-card.md",
        f"/gatewright/releases/{'x' * 500}/model-card.md",
    ],
)
def test_what_is_not_on_the_list_is_not_there(house: House, path: str) -> None:
    """Other records of a release, other releases, names that only look right: one answer for all of them."""
    answer = house.as_dana(path)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no such document."


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "GETX"])
def test_documents_are_only_read(house: House, method: str) -> None:
    """By whoever asks, logged in or not."""
    assert house.as_dana(CARD, method).status_code == 403
    assert house.ask(CARD, method, login=None).status_code == 403


def test_a_changed_document_is_not_shown(house: House) -> None:
    """Somebody with write access to the store edits a card: its digest no longer fits."""
    digest = BlobStore(house.store, Path("/nowhere")).put(b"the model-card", "text/markdown").sha256
    house.store.objects = {k: b"you may ship" if k.endswith(digest) else v for k, v in house.store.objects.items()}
    answer = house.as_dana(CARD)
    assert (answer.status_code, "ship" in answer.text) == (503, False)


def test_another_site_cannot_write_with_the_login_that_a_browser_keeps(house: House) -> None:
    """Sent along by itself, it proves that somebody reads documents, not that they mean to answer."""
    path = "/api/flow_runs/filter"
    assert house.as_dana(path, "POST", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert house.as_dana(path, "POST", **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/gatewright/releases/{id}/model-card.md", 200),
        ("/gatewright/releases/{id}/model-card.md?x=1", 200),
        ("/gatewright/releases/../releases/{id}/model-card.md", 403),
        ("/gatewright/releases/{id}/../{id}/model-card.md", 403),
        ("/gatewright/releases/%2e%2e/{id}/model-card.md", 403),
        ("/gatewright/releases/{id}%2fmodel-card.md", 403),
        ("/gatewright/releases/{id}/data-docs/training/../../model-card.md", 403),
        ("/gatewright/releases/{id}/data-docs/training/..%2f..%2fdecision.json", 403),
        ("/gatewright/releases/{id}/model-card.md%00", 403),
        ("/gatewright/releases/{id}/model-card.md%0d%0aSet-Cookie:x=1", 403),
        ("/gatewright//releases/{id}/model-card.md", 403),
        ("/api/../gatewright/releases/{id}/model-card.md", 403),
    ],
)
def test_a_real_server_serves_documents_under_one_spelling(filled: Server, path: str, status: int) -> None:
    """As sent, not tidied up by a client: escapes, dots, line ends and empty parts are refused."""
    credential = base64.b64encode(f"dana.reyes:{filled.people.secrets['dana.reyes']}".encode()).decode()
    with closing(http.client.HTTPConnection("127.0.0.1", httpx.URL(filled.url).port or 0)) as connection:
        connection.request("GET", path.format(id="crash-1"), headers={"Authorization": f"Basic {credential}"})
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("set-cookie")) == (status, None)
        assert (b"model-card" in answer.read()) == (status == 200)


def test_a_head_request_has_the_headers_and_no_body(filled: Server) -> None:
    """And the length that a GET would have."""
    path = "/gatewright/releases/crash-1/model-card.md"
    with filled.as_person() as client:
        head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))


def test_a_person_who_left_the_roster_is_refused_by_a_real_server(server: Server) -> None:
    """Their line in the credential file still stands."""
    with server.as_person("lou.gone") as client:
        assert client.get("/gatewright/releases/crash-1/model-card.md").status_code == 403
