"""What a person may call. The list allows; whatever is not on it is refused, also what a new Prefect brings."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from deployments.gateway.refusals import RefusalError

__all__ = ["API", "OPEN", "STREAMS", "Route", "is_api", "refuse_secrets", "route_of", "well_formed"]

API = "/api"
OPEN = frozenset({f"{API}/health", f"{API}/ready"})
STREAMS = frozenset({f"{API}/events/out", f"{API}/logs/out"})

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_START = re.compile(rf"/deployments/({_UUID})/create_flow_run", re.ASCII)
_RESUME = re.compile(rf"/flow_runs/({_UUID})/resume", re.ASCII)
# Reading with POST. Not here, though they sound like it: get_scheduled_flow_runs and get_runs, which also mark.
_READS = (
    "/artifacts/count",
    "/artifacts/filter",
    "/artifacts/latest/count",
    "/artifacts/latest/filter",
    "/automations/count",
    "/automations/filter",
    "/block_documents/count",
    "/block_documents/filter",
    "/block_schemas/filter",
    "/block_types/filter",
    "/concurrency_limits/filter",
    "/deployments/count",
    "/deployments/filter",
    "/deployments/paginate",
    "/events/count-by/{}",
    "/events/filter",
    "/flow_runs/count",
    "/flow_runs/filter",
    "/flow_runs/history",
    "/flow_runs/lateness",
    "/flow_runs/paginate",
    "/flow_runs/{}/input/filter",
    "/flows/count",
    "/flows/filter",
    "/flows/paginate",
    "/logs/filter",
    "/saved_searches/filter",
    "/task_runs/count",
    "/task_runs/filter",
    "/task_runs/history",
    "/task_runs/paginate",
    "/task_workers/filter",
    "/ui/flow_runs/count-task-runs",
    "/ui/flow_runs/history",
    "/ui/flows/count-deployments",
    "/ui/flows/next-runs",
    "/ui/schemas/validate",
    "/ui/task_runs/count",
    "/ui/task_runs/dashboard/counts",
    "/v2/concurrency_limits/filter",
    "/variables/count",
    "/variables/filter",
    "/work_pools/count",
    "/work_pools/filter",
    "/work_pools/{}/concurrency_status",
    "/work_pools/{}/queues/filter",
    "/work_pools/{}/workers/filter",
    "/work_queues/filter",
    "/work_queues/{}/concurrency_status",
)
_READ = re.compile("|".join(re.escape(path).replace(r"\{\}", "[^/]+") for path in _READS))
_SECRETS = "include_secrets"
_TRICKS = re.compile(rb"%(2[ef5]|5c|[01][0-9a-f]|7f)", re.IGNORECASE)


@dataclass(frozen=True)
class Route:
    """``id`` is the deployment to start or the run to resume."""

    kind: Literal["read", "start", "resume"]
    id: str = ""


def is_api(path: str) -> bool:
    return path == API or path.startswith(f"{API}/")


def route_of(method: str, path: str) -> Route | None:
    """What a person asks for below ``/api``; None for what they may not."""
    path = path.removeprefix(API)
    if method in ("GET", "HEAD"):
        return Route("read")
    if method != "POST":
        return None
    if _READ.fullmatch(path):
        return Route("read")
    if found := _START.fullmatch(path):
        return Route("start", found[1].lower())
    if found := _RESUME.fullmatch(path):
        return Route("resume", found[1].lower())
    return None


def well_formed(path: str, raw_path: bytes) -> bool:
    """Whether all who read this path see the same one: no empty or dot parts, no escapes that hide them."""
    parts = path.split("/")[1:]
    plain = path.isprintable() and path.startswith("/") and "\\" not in path and "%" not in path
    return (
        plain
        and all(part not in ("", ".", "..") for part in parts[:-1])
        and parts[-1] not in (".", "..")
        and (_TRICKS.search(raw_path) is None)
    )


def refuse_secrets(query: bytes, body: dict[str, object]) -> None:
    """Raises RefusalError when the secrets in Prefect's blocks are asked for."""
    typed = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    asked = [value != "false" for key, value in typed if key == _SECRETS]
    if any(asked) or body.get(_SECRETS, False) is not False:
        raise RefusalError(403, "Secrets of blocks are not shown to people.")
