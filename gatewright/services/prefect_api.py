"""What we ask of Prefect's REST API: which runs wait for an answer, to resume one with it, to start and follow one,
whether one still lives, and what there is to run them.

The library does not import Prefect, so whoever approves needs neither it nor its settings.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

import httpx
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gatewright.core.errors import ServerError

__all__ = ["FlowRun", "PrefectApi", "PrefectSettings", "RunState", "WaitingRun"]

_SECONDS = 30.0
_PAGE = 200
_OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
# Another answer came first, or SQLite is busy: ask again.
_LATER = (409, 423, 429, 502, 503, 504)


class PrefectSettings(BaseSettings):
    """Prefect's own names: ``PREFECT_API_URL``, and ``PREFECT_API_AUTH_STRING`` as ``name:secret``."""

    model_config = SettingsConfigDict(
        env_prefix="PREFECT_", env_file=".gatewright/settings.env", extra="ignore", frozen=True
    )

    api_url: str | None = None
    api_auth_string: SecretStr | None = None


class WaitingRun(NamedTuple):
    """A run that stands still until its form is filled in; ``key`` is the pause's."""

    run_id: str
    key: str


class RunState(NamedTuple):
    """Where a run stands: Prefect's ``type`` (such as RUNNING), the state's name, and what was said of it."""

    type: str
    name: str
    message: str

    @property
    def over(self) -> bool:
        return self.type in _OVER


class FlowRun(NamedTuple):
    """A run, where it stands, and what it was started with."""

    run_id: str
    state: RunState
    parameters: dict[str, Any]


class PrefectApi:
    """Talks to one server as one person."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @classmethod
    def connect(cls, settings: PrefectSettings) -> Self:
        """Raises ServerError when no address is set."""
        if not settings.api_url:
            raise ServerError(
                "it is not known where Prefect is.",
                where="PREFECT_API_URL",
                remedy="set it to the server's address with /api; or print the answer with --print and paste it.",
            )
        secret = settings.api_auth_string.get_secret_value() if settings.api_auth_string else ""
        name, _, password = secret.partition(":")
        return cls(
            httpx.Client(
                base_url=settings.api_url, auth=httpx.BasicAuth(name, password) if secret else None, timeout=_SECONDS
            )
        )

    def waiting(self) -> list[WaitingRun]:
        """All runs that wait for an answer. Raises ServerError."""
        found: list[WaitingRun] = []
        for offset in range(0, 10_000, _PAGE):
            states = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}, "limit": _PAGE, "offset": offset}
            page = self._json(self._post("/flow_runs/filter", states))
            if not isinstance(page, list):
                raise self._strange()
            found += filter(None, map(_waiting, page))
            if len(page) < _PAGE:
                break
        return found

    def resume(self, run_id: str, typed: dict[str, str]) -> bool:
        """Fill in the form of a waiting run; False when it did not wait, or not yet, or no more.

        Raises ServerError when the server refuses the answer or us.
        """
        reply = self._post(f"/flow_runs/{run_id}/resume", {"run_input": typed})
        if reply.status_code in _LATER:
            return False
        said = self._json(reply)
        status = said.get("status") if isinstance(said, dict) else None
        if status == "ACCEPT":
            return True
        reason = str((said.get("details") or {}).get("reason")) if isinstance(said, dict) else "nothing"
        # The state is set a moment before the form is there.
        if status == "ABORT" or "schema not found" in reason:
            return False
        raise ServerError(
            f"Prefect refused the answer: {reason[:300]}.",
            where=f"run {run_id}",
            remedy="print the answer with --print and paste it into the run's form.",
        )

    def start(self, deployment: str, parameters: dict[str, Any]) -> str:
        """Start a run of a deployment, named ``flow/deployment``; the run's id.

        Raises ServerError when there is none, or the server refuses the parameters or us.
        """
        found = self._send("GET", f"/deployments/name/{deployment}")
        if found.status_code == 404:
            raise ServerError(
                f"there is no deployment `{deployment}`.",
                where=str(self._client.base_url),
                remedy="register the deployments: docs/deployment.md says how.",
            )
        reply = self._post(f"/deployments/{self._field(found, 'id')}/create_flow_run", {"parameters": parameters})
        if reply.status_code in (400, 409, 422):
            raise ServerError(
                f"Prefect refuses the run: {reply.text[:300]}.",
                where=f"deployment {deployment}",
                remedy="correct what it names.",
            )
        return self._field(reply, "id")

    def state(self, run_id: str) -> RunState:
        """Where a run stands. Raises ServerError."""
        return _flow_run(self._json(self._send("GET", f"/flow_runs/{run_id}"))).state

    def run(self, run_id: str) -> FlowRun | None:
        """A run; None where the server knows none, or no more. Raises ServerError."""
        reply = self._send("GET", f"/flow_runs/{run_id}")
        return None if reply.status_code in (404, 422) else _flow_run(self._json(reply))

    def runs_of(self, flows: Sequence[str], *, since: datetime) -> list[FlowRun]:
        """Runs of these flows that were due after ``since``, the newest first. Raises ServerError."""
        asked = {
            "flows": {"name": {"any_": list(flows)}},
            "flow_runs": {"expected_start_time": {"after_": since.isoformat()}},
            "sort": "EXPECTED_START_TIME_DESC",
            "limit": _PAGE,
        }
        found = self._json(self._post("/flow_runs/filter", asked))
        if not isinstance(found, list):
            raise self._strange()
        return [_flow_run(one) for one in found]

    def last_heartbeat(self, run_id: str) -> datetime | None:
        """When the process of a run was last heard of; None where it never was. Raises ServerError."""
        about = {"resource": {"id": [f"prefect.flow-run.{run_id}"]}, "event": {"name": ["prefect.flow-run.heartbeat"]}}
        found = self._json(self._post("/events/filter", {"filter": {**about, "order": "DESC"}, "limit": 1}))
        events = found.get("events") if isinstance(found, dict) else None
        if not isinstance(events, list):
            raise self._strange()
        return datetime.fromisoformat(str(events[0].get("occurred"))) if events else None

    def has_block(self, kind: str, name: str) -> bool:
        """Whether there is a block of this type and name; what is in it is not asked. Raises ServerError."""
        reply = self._send("GET", f"/block_types/slug/{kind}/block_documents/name/{name}")
        return reply.status_code != 404 and bool(self._json(reply))

    def version(self) -> str:
        """The server's. Raises ServerError."""
        found = self._json(self._send("GET", "/admin/version"))
        if not isinstance(found, str):
            raise self._strange()
        return found

    def deployments(self) -> dict[str, str | None]:
        """Name -> work pool, of all deployments. Raises ServerError."""
        found = self._json(self._post("/deployments/filter", {"limit": _PAGE}))
        if not isinstance(found, list):
            raise self._strange()
        return {str(one.get("name")): one.get("work_pool_name") for one in found if isinstance(one, dict)}

    def online_workers(self, pool: str) -> list[str]:
        """Names of the workers of a pool whose heartbeat is recent. Raises ServerError."""
        found = self._json(self._post(f"/work_pools/{pool}/workers/filter", {"limit": _PAGE}))
        if not isinstance(found, list):
            raise self._strange()
        return [str(one.get("name")) for one in found if isinstance(one, dict) and one.get("status") == "ONLINE"]

    def _field(self, reply: httpx.Response, name: str) -> str:
        found = self._json(reply)
        if not isinstance(found, dict) or name not in found:
            raise self._strange()
        return str(found[name])

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        try:
            return self._client.request(method, path.lstrip("/"), json=body)
        except httpx.HTTPError as error:
            raise ServerError(
                f"Prefect does not answer: {type(error).__name__}.",
                where=str(self._client.base_url),
                remedy="start the server, or set PREFECT_API_URL.",
            ) from None

    def _json(self, reply: httpx.Response) -> Any:
        if reply.status_code in (401, 403):
            raise ServerError(
                "Prefect does not know you, or does not let you do this.",
                where=str(self._client.base_url),
                remedy="set PREFECT_API_AUTH_STRING to your own name:secret.",
            )
        try:
            reply.raise_for_status()
            return reply.json()
        except (httpx.HTTPStatusError, ValueError):
            raise self._strange(reply.status_code) from None

    def _strange(self, status: int = 200) -> ServerError:
        return ServerError(
            f"what answers is no Prefect server, or one in trouble (HTTP {status}).",
            where=str(self._client.base_url),
            remedy="set PREFECT_API_URL to the server's address with /api.",
        )


def _flow_run(run: Any) -> FlowRun:
    found = run if isinstance(run, dict) else {}
    state = found.get("state") or {}
    given = found.get("parameters") or {}
    return FlowRun(str(found.get("id")), RunState(*(str(state.get(name) or "") for name in RunState._fields)), given)


def _waiting(run: Any) -> WaitingRun | None:
    details = ((run.get("state") or {}).get("state_details") or {}) if isinstance(run, dict) else {}
    key = details.get("pause_key")
    if not (isinstance(key, str) and details.get("run_input_keyset")):
        return None
    return WaitingRun(run_id=str(run.get("id")), key=key)
