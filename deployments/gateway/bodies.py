"""Bodies of people's requests: small, plain JSON objects with one meaning."""

import json
from collections.abc import Iterator
from typing import Any

from starlette.types import Receive

from deployments.gateway.refusals import RefusalError

__all__ = ["MAX_BODY", "parse", "read", "refuse_templates"]

MAX_BODY = 100_000
MAX_DEPTH = 60


async def read(receive: Receive) -> bytes:
    """All of a body. Raises RefusalError when it is over 100 kB or the caller leaves."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise RefusalError(400, "The request ended early.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise RefusalError(413, f"The body is larger than {MAX_BODY} bytes.")
    return body


def parse(body: bytes) -> dict[str, Any]:
    """An empty body is an empty object. Raises RefusalError for a key that stands twice, NaN, or other JSON."""
    if not body.strip():
        return {}
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        # Half of a surrogate pair, written as an escape, is text that has no bytes.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, f"The body is not plain JSON: {str(error)[:200]}.") from None
    if not isinstance(found, dict) or max(depth for depth, _ in _values(found)) > MAX_DEPTH:
        raise RefusalError(400, "The body must be a JSON object that is not nested deeply.")
    return found


def refuse_templates(body: dict[str, Any]) -> None:
    """Raises RefusalError for ``__prefect_kind``, which makes the server compute a value that nobody typed."""
    if any(isinstance(value, dict) and "__prefect_kind" in value for _, value in _values(body)):
        raise RefusalError(400, "Values are taken as typed: `__prefect_kind` is refused.")


def _values(root: Any) -> Iterator[tuple[int, Any]]:
    """All values inside a value, with their depth; without recursion, which a body could exhaust."""
    open_values = [(0, root)]
    while open_values:
        depth, value = open_values.pop()
        yield depth, value
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        open_values.extend((depth + 1, part) for part in inner)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")
