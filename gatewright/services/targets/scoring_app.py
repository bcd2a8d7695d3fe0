"""The scoring service: answers with the model a channel names, and logs what it answered.

``POST /score`` and ``POST /labels`` for programs that `admission` lets in. ``GET /health`` and ``GET /ready`` for
operators and for the release flow, and ``GET /`` for people, are open to whoever reaches the port: they tell digests,
states and errors, never a row. Whoever starts it decides where it listens.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from gatewright.core.errors import ModelError, SpecError
from gatewright.core.spec import ModelSpec, Task
from gatewright.services.prediction_log import ANSWER_COLUMNS, PREDICTION_COLUMNS, PredictionLog
from gatewright.services.registry import ModelRegistry
from gatewright.services.targets.admission import Tokens, admitting
from gatewright.services.targets.answers import LABEL_TYPES, MAX_ROWS, answers_of, labels_request
from gatewright.services.targets.refusals import BodyLimit, refuse_clearly
from gatewright.services.targets.rows import CellProblem, InvalidRowsError, frame_of
from gatewright.services.targets.serving_model import ModelSource, Serving, ServingModel

if TYPE_CHECKING:
    from gatewright.services.blobs import BlobStore
    from gatewright.services.channel_store import ChannelStore
    from gatewright.services.evidence_store import EvidenceStore

__all__ = ["MAX_BODY_BYTES", "MAX_ROWS", "create_app"]

MAX_BODY_BYTES = 5_000_000


class ScoreRequest(BaseModel):
    """Rows to score: one object a row, feature -> value."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_ROWS)]


def create_app(
    *,
    model: str,
    channel: str,
    spec: ModelSpec,
    registry: ModelRegistry,
    blobs: "BlobStore",
    channels: "ChannelStore",
    evidence: "EvidenceStore",
    prediction_log: PredictionLog,
    tokens: Tokens | None = None,
    poll_seconds: float = 1.0,
) -> FastAPI:
    """The service for one channel of one model.

    It scores with the threshold, categories and allowlist pinned when the model's release was opened;
    ``spec`` holds where a release pinned none. ``tokens`` are what callers must show. Raises SpecError when a
    feature has a name the log needs.
    """
    _require_loggable(spec)
    source = ModelSource(
        model=model,
        channel=channel,
        spec=spec,
        registry=registry,
        blobs=blobs,
        channels=channels,
        evidence=evidence,
    )
    serving = ServingModel(source)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        prediction_log.start()
        serving.start(poll_seconds)
        yield
        serving.stop()
        prediction_log.close()

    # FastAPI's documentation pages load scripts from elsewhere.
    app = FastAPI(title=spec.title, lifespan=running, docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    refuse_clearly(app)
    _add_scoring(app, serving, prediction_log, tokens)
    _add_labels(app, prediction_log, spec.task, tokens)
    _add_reports(app, source, serving, prediction_log)
    return app


def _add_scoring(app: FastAPI, serving: ServingModel, log: PredictionLog, tokens: Tokens | None) -> None:
    router = APIRouter(route_class=admitting(tokens.scoring if tokens else None))

    @router.post("/score")
    def score(request: ScoreRequest) -> JSONResponse:
        current = _required(serving.current)
        frame = frame_of(request.rows, current.features, current.categorical)
        answers = answers_of(current, _said(current, frame))
        log.add_predictions(_logged(answers, frame, current))
        return JSONResponse(
            {"model_sha256": current.model_sha256, "release_id": current.release_id, "predictions": answers}
        )

    app.include_router(router)


def _add_labels(app: FastAPI, log: PredictionLog, task: Task, tokens: Tokens | None) -> None:
    router = APIRouter(route_class=admitting(tokens.labels if tokens else None))
    # Whose form FastAPI reads from the annotation below.
    reported: Any = labels_request(task)

    @router.post("/labels")
    def labels(request: reported) -> JSONResponse:
        rows = pd.DataFrame([label.model_dump() for label in request.labels])
        rows.insert(1, "at", _now())
        log.add_labels(rows.astype({"label": LABEL_TYPES[task][1]}))
        return JSONResponse({"accepted": len(rows)})

    app.include_router(router)


def _add_reports(app: FastAPI, source: ModelSource, serving: ServingModel, log: PredictionLog) -> None:
    @app.get("/health")
    def health() -> JSONResponse:
        return JSONResponse(_health(source, serving, log))

    @app.get("/ready")
    def ready() -> JSONResponse:
        return JSONResponse({"ready": True, "serving": _required(serving.current).model_sha256})

    @app.get("/")
    def page() -> HTMLResponse:
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return HTMLResponse(_page(app.title, _health(source, serving, log)), headers=policy)


def _required(current: Serving | None) -> Serving:
    if current is None:
        raise HTTPException(503, "no model serves yet; `/health` says why.", headers={"Retry-After": "1"})
    return current


def _said(current: Serving, frame: pd.DataFrame) -> Any:
    """Raises InvalidRowsError when one row is what the model refuses, ModelError when it is not."""
    try:
        return current.ask(frame)
    except ModelError as error:
        refused = _first_refused(current, frame)
        if refused is None:
            raise
        raise InvalidRowsError([refused]) from error


def _first_refused(current: Serving, frame: pd.DataFrame) -> CellProblem | None:
    """By bisection, the row that the model refuses even when it is alone."""
    low, high = 0, len(frame)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _refusal(current, frame[low:middle]) else (middle, high)
    problem = _refusal(current, frame[low:high])
    return CellProblem(low, None, problem) if problem else None


def _refusal(current: Serving, frame: pd.DataFrame) -> str | None:
    try:
        current.ask(frame)
    except ModelError as error:
        return error.problem
    return None


def _logged(answers: list[dict[str, Any]], frame: pd.DataFrame, current: Serving) -> pd.DataFrame:
    """The answers with PREDICTION_COLUMNS and ANSWER_COLUMNS, then the features."""
    rows = pd.DataFrame(answers).assign(at=_now(), release_id=current.release_id, model_sha256=current.model_sha256)
    return pd.concat([rows[[*PREDICTION_COLUMNS, *ANSWER_COLUMNS[current.task]]], frame], axis=1)


def _health(source: ModelSource, serving: ServingModel, log: PredictionLog) -> dict[str, Any]:
    current = serving.current
    return {
        "model": source.model,
        "channel": source.channel,
        "serving": current.model_sha256 if current else None,
        "release_id": current.release_id if current else None,
        "generation": current.generation if current else None,
        "since": current.since.isoformat() if current else None,
        "wanted": serving.wanted,
        "error": serving.error,
        "unflushed": log.unflushed,
        "log_error": log.error,
    }


def _page(title: str, health: dict[str, Any]) -> str:
    rows = "\n".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{'none' if value is None else escape(str(value))}</td></tr>"
        for name, value in health.items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<style>body{{font:16px sans-serif;margin:2rem}}th{{text-align:left;padding-right:2rem}}</style></head>
<body><h1>{escape(title)}</h1>
<table>{rows}</table>
<p>Score rows with <code>POST /score</code>, report outcomes with <code>POST /labels</code>.</p></body></html>"""


def _now() -> pd.Timestamp:
    return pd.Timestamp(datetime.now(UTC))


def _require_loggable(spec: ModelSpec) -> None:
    taken = sorted(set(spec.features) & {*PREDICTION_COLUMNS, *ANSWER_COLUMNS[spec.task]})
    if taken:
        raise SpecError(
            f"the feature(s) {', '.join(taken)} have names that the prediction log uses itself.",
            where=f"model spec {spec.name}, `features`",
            remedy="rename them in the data.",
        )
