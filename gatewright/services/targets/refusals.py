"""How the scoring service says no: always JSON with ``error``, and never the client's own values in it."""

from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatewright.core.errors import ModelError
from gatewright.services.prediction_log import LogFullError
from gatewright.services.targets.rows import MAX_PROBLEMS, CellProblem, InvalidRowsError

__all__ = ["BodyLimit", "refuse_clearly"]

LOG_RETRY_SECONDS = "5"


class BodyLimit:
    """ASGI middleware that stops reading a request body after ``max_bytes``."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                raise HTTPException(413, f"the request is larger than {self._max_bytes} bytes.")
            return message

        await self._app(scope, counted, send)


def refuse_clearly(app: FastAPI) -> None:
    """Give ``app`` a JSON answer for each kind of refusal."""
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(InvalidRowsError)(_invalid_rows)
    app.exception_handler(LogFullError)(_log_full)
    app.exception_handler(ModelError)(_model_failed)
    app.exception_handler(StarletteHTTPException)(_http)


def _refusal(status: int, error: str, **more: Any) -> JSONResponse:
    return JSONResponse({"error": error, **more}, status_code=status)


def _malformed(_: Request, error: RequestValidationError) -> JSONResponse:
    problems = [_cell(problem) for problem in error.errors()[:MAX_PROBLEMS]]
    return _unprocessable("the request is malformed", problems)


def _invalid_rows(_: Request, error: InvalidRowsError) -> JSONResponse:
    return _unprocessable("the rows cannot be scored", list(error.problems))


def _unprocessable(what: str, problems: list[CellProblem]) -> JSONResponse:
    first = problems[0]
    place = ", ".join(
        f"{name} {value!r}" for name, value in (("row", first.row), ("column", first.column)) if value is not None
    )
    error = f"{what}: {place + ': ' if place else ''}{first.problem}."
    return _refusal(422, error, problems=[asdict(problem) for problem in problems])


def _cell(problem: dict[str, Any]) -> CellProblem:
    """Where pydantic's location (body, rows, 3, age) points."""
    inside = [part for part in problem["loc"] if part != "body"]
    row = next((part for part in inside if isinstance(part, int)), None)
    names = [str(part) for part in inside if not isinstance(part, int)]
    return CellProblem(row, ".".join(names) or None, problem["msg"])


def _log_full(_: Request, error: LogFullError) -> JSONResponse:
    answer = _refusal(503, str(error))
    answer.headers["Retry-After"] = LOG_RETRY_SECONDS
    return answer


def _model_failed(_: Request, error: ModelError) -> JSONResponse:
    return _refusal(500, str(error))


def _http(_: Request, error: StarletteHTTPException) -> JSONResponse:
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)
