"""What a person may call, asked of a real server: its own list of routes, and tricks to get around ours."""

import base64
import http.client
import json
import re
import uuid
from contextlib import closing

import httpx
import pytest

from deployments.gateway.routes import route_of, well_formed
from tests.gateway.conftest import ORIGIN, PROXY_SECRET, Server

# Written out, so that a route that is added to the list shows here, and one that a new Prefect brings is refused.
WRITES = {("POST", "/api/deployments/{id}/create_flow_run"), ("POST", "/api/flow_runs/{id}/resume")}
READS = {
    "/api/flows/count", "/api/flows/filter", "/api/flows/paginate",
    "/api/flow_runs/count", "/api/flow_runs/lateness", "/api/flow_runs/history", "/api/flow_runs/filter",
    "/api/flow_runs/{id}/input/filter", "/api/flow_runs/paginate",
    "/api/task_runs/count", "/api/task_runs/history", "/api/task_runs/filter", "/api/task_runs/paginate",
    "/api/deployments/filter", "/api/deployments/paginate", "/api/deployments/count",
    "/api/saved_searches/filter", "/api/logs/filter",
    "/api/concurrency_limits/filter", "/api/v2/concurrency_limits/filter",
    "/api/block_types/filter", "/api/block_schemas/filter", "/api/block_documents/filter", "/api/block_documents/count",
    "/api/work_pools/filter", "/api/work_pools/count", "/api/work_pools/{name}/concurrency_status",
    "/api/work_pools/{work_pool_name}/queues/filter", "/api/work_pools/{work_pool_name}/workers/filter",
    "/api/task_workers/filter", "/api/work_queues/filter", "/api/work_queues/{id}/concurrency_status",
    "/api/artifacts/filter", "/api/artifacts/latest/filter", "/api/artifacts/count", "/api/artifacts/latest/count",
    "/api/variables/filter", "/api/variables/count",
    "/api/events/filter", "/api/events/count-by/{countable}",
    "/api/automations/filter", "/api/automations/count",
    "/api/ui/flows/count-deployments", "/api/ui/flows/next-runs",
    "/api/ui/flow_runs/history", "/api/ui/flow_runs/count-task-runs", "/api/ui/schemas/validate",
    "/api/ui/task_runs/dashboard/counts", "/api/ui/task_runs/count",
}  # fmt: skip


def routes(server: Server) -> list[tuple[str, str]]:
    with server.as_person() as client:
        paths = client.get("/openapi.json").json()["paths"]
    # The document leaves out where the API is mounted.
    found = [(method.upper(), f"/api{path}") for path, methods in paths.items() for method in methods]
    assert len(found) > 150
    return found


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", lambda _: str(uuid.uuid4()), path)


def test_a_person_reads_starts_and_resumes_and_every_other_route_is_refused(server: Server) -> None:
    """Over all routes of the server's own OpenAPI document, each really asked."""
    wrong = []
    with server.as_person() as client:
        for method, path in routes(server):
            allowed = method == "GET" or path in READS or (method, path) in WRITES
            answer = client.request(method, filled(path), json=None if method == "GET" else {})
            refused = answer.status_code == 403 and answer.json()["detail"].startswith("People read, start")
            if refused == allowed:
                wrong.append((method, path, answer.status_code))
    assert wrong == []


def test_no_route_answers_without_a_login_but_health(server: Server) -> None:
    """401, and never with a header that makes a browser keep the secret and send it for any page."""
    with server.anonymous() as client:
        answers = {(method, path): client.request(method, filled(path)) for method, path in routes(server)}
    opened = {route for route, answer in answers.items() if answer.status_code != 401}
    assert opened == {("GET", "/api/health"), ("GET", "/api/ready")}
    assert not any("www-authenticate" in answer.headers for answer in answers.values())


def test_the_service_reaches_every_route(server: Server) -> None:
    """Worker and flow runs work as without a gateway: nothing is forbidden, and everything is authenticated."""
    with server.as_service() as client:
        # Prefect answers an unknown run with 500, after which uvicorn hangs up.
        client.headers["Connection"] = "close"
        statuses = {
            (method, path): client.request(method, filled(path), json=None if method == "GET" else {}).status_code
            for method, path in routes(server)
            if "install_system" not in path
        }
    assert {route for route, status in statuses.items() if status in (401, 403)} <= {("GET", "/api/events/filter/next")}
    assert len({status for status in statuses.values() if status < 300}) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/flow_runs//{run}/set_state",
        "//api/flow_runs/{run}/set_state",
        "/api//flow_runs/{run}/set_state",
        "/api/flow_runs/{run}/set_state/",
        "/api/flow_runs/{run}/set_state/.",
        "/API/flow_runs/{run}/set_state",
        "/api/Flow_Runs/{run}/set_state",
        "/api/flow_runs/{run}/resume/../set_state",
        "/api/flow_runs/{run}/resume/%2e%2e/set_state",
        "/api/flow_runs/{run}/resume%2f..%2fset_state",
        "/api/flow_runs/{run}/%73et_state",
        "/api/flow_runs/{run}%2fset_state",
        "/api/flow_runs/filter/../{run}/set_state",
        "/ui/../api/flow_runs/{run}/set_state",
        "/api/flow_runs/{run}/set_state%00/filter",
        "/api/flow_runs/{run}/set_state;/filter",
        "/api/flow_runs/{run}/set_state\\filter",
        "/api/flow_runs/{run}/set_state%0a/filter",
        "/api/flow_runs/{run}/set_state%2523/filter",
        "/api/flow_runs/{run}/set_state?x=/filter",
        "/api/flow_runs/{run}/set_state#/filter",
        "/v2/../api/flow_runs/{run}/set_state",
    ],
)
def test_no_spelling_of_a_path_gets_around_the_list(server: Server, path: str) -> None:
    """A forced state under twenty-two spellings: refused, and the run still waits."""
    run = server.waiting_run()
    forced = {"state": {"type": "COMPLETED"}, "force": True}
    credential = base64.b64encode(f"dana.reyes:{server.people.secrets['dana.reyes']}".encode()).decode()
    headers = {"Authorization": f"Basic {credential}", "Content-Type": "application/json"}
    # Not httpx, which would tidy the path up: what is sent is what is written here.
    with closing(http.client.HTTPConnection("127.0.0.1", httpx.URL(server.url).port or 0)) as connection:
        connection.request("POST", path.format(run=run), json.dumps(forced), headers)
        assert connection.getresponse().status == 403
    assert server.state_of(run) == "Paused"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "GETX"])
def test_no_other_method_passes(method: str) -> None:
    """Methods are told apart by case, as Prefect does."""
    assert route_of(method, "/api/flow_runs/filter") is None


@pytest.mark.parametrize("suffix", ["/", "\n", "x", "/..", " "])
def test_a_route_is_matched_as_a_whole(suffix: str) -> None:
    """A newline at the end fools `$`."""
    run = str(uuid.uuid4())
    for path in ("/api/flow_runs/filter", f"/api/flow_runs/{run}/resume", f"/api/deployments/{run}/create_flow_run"):
        assert route_of("POST", path) is not None
        assert route_of("POST", path + suffix) is None


@pytest.mark.parametrize("raw", [b"/api/%2E/x", b"/a%2Fb", b"/a%5cb", b"/a%00", b"/a%1f", b"/a%7F", b"/a%2525"])
def test_escapes_that_hide_a_path_are_refused(raw: bytes) -> None:
    """Whatever the decoded path looks like."""
    assert not well_formed("/api/flow_runs/filter", raw)
    assert well_formed("/api/work_pools/a b", b"/api/work_pools/a%20b")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-User": "sam.okafor"},
        {"X-Forwarded-User": "sam.okafor", "X-Gatewright-Proxy": "guessed-guessed-guessed"},
        {"X-Forwarded-User": "service", "X-Gatewright-Proxy": PROXY_SECRET},
        {"X-Forwarded-User": "Sam Okafor", "X-Gatewright-Proxy": PROXY_SECRET},
        {"X-Forwarded-User": "", "X-Gatewright-Proxy": PROXY_SECRET},
        {"X-Gatewright-Proxy": PROXY_SECRET},
        {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-User": "sam.okafor"},
    ],
)
def test_a_forged_name_of_the_proxy_counts_for_nothing(server: Server, headers: dict[str, str]) -> None:
    """Without the proxy's secret, and with a name that is no person's, nobody is logged in."""
    with server.anonymous(**headers) as client:
        assert client.get("/api/admin/version").status_code == 401


def test_a_name_of_the_proxy_is_sent_once(server: Server) -> None:
    """Two headers may be read differently by two programs."""
    proof = ("X-Gatewright-Proxy", PROXY_SECRET)
    for count, status in ((1, 200), (2, 401)):
        named = [("X-Forwarded-User", "dana.reyes"), ("X-Forwarded-User", "kim.larsen")][:count]
        assert httpx.get(f"{server.url}/api/admin/version", headers=[proof, *named]).status_code == status


def test_a_page_of_another_site_cannot_write_with_a_proxy_s_cookie(server: Server) -> None:
    """The browser sends what logs the person in by itself; only pages of the server's own origin may write."""
    path, body = f"/api/flow_runs/{server.waiting_run()}/resume", {"run_input": {}}
    for origin, status in ((ORIGIN, 200), ("https://evil.example.com", 403), (None, 403)):
        headers = {"X-Forwarded-User": "dana.reyes", "X-Gatewright-Proxy": PROXY_SECRET}
        headers |= {"Origin": origin} if origin else {}
        with server.anonymous(**headers) as client:
            assert client.post(path, json=body).status_code == status
            assert client.post(path, content="{}", headers={"Content-Type": "text/plain"}).status_code == 415


def test_the_ui_asks_for_a_login_unless_the_proxy_has_asked(server: Server) -> None:
    """The login box is Prefect's own."""
    by_proxy = {"X-Forwarded-User": "dana.reyes", "X-Gatewright-Proxy": PROXY_SECRET}
    for headers, auth in (({}, "BASIC"), (by_proxy, None)):
        with server.anonymous(**headers) as client:
            assert client.get("/ui-settings").json()["auth"] == auth
            assert client.get("/v2/").status_code == 200


def test_secrets_in_blocks_and_settings_are_shown_to_nobody(server: Server) -> None:
    """Prefect gives a block's secrets to whoever asks for them; people may not ask."""
    secret, name = "a-secret-in-a-block", uuid.uuid4().hex
    with server.as_service() as client:
        kind = client.get("/api/block_types/slug/secret").json()
        schema = client.post(
            "/api/block_schemas/filter", json={"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}}
        ).json()[0]
        made = {"name": name, "data": {"value": secret}, "block_schema_id": schema["id"], "block_type_id": kind["id"]}
        block = client.post("/api/block_documents/", json=made).json()["id"]
        assert secret in client.get(f"/api/block_documents/{block}?include_secrets=true").text
    by_name = f"/api/block_types/slug/secret/block_documents/name/{name}"
    with server.as_person() as client:
        for said in ("include_secrets=true", "include_secrets=1", "include%5Fsecrets=on", "include_secrets"):
            for path in (f"/api/block_documents/{block}", by_name, "/api/block_types/slug/secret/block_documents"):
                assert client.get(f"{path}?{said}").status_code == 403
        for body in ({"include_secrets": True}, {"include_secrets": "true"}, {"include_secrets": 1}):
            assert client.post("/api/block_documents/filter", json=body).status_code == 403
        twice = '{"include_secrets": false, "include_secrets": true}'
        assert client.post("/api/block_documents/filter", content=twice).status_code == 400
        shown = client.post("/api/block_documents/filter", json={"include_secrets": False}).text
        shown += client.get(f"/api/block_documents/{block}").text + client.get("/api/admin/settings").text
    for hidden in (secret, server.people.service_secret, *server.people.secrets.values()):
        assert hidden not in shown
    assert name in shown
