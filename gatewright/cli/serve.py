"""``gatewright serve``: the scoring service that follows a model's channel."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from gatewright.wiring import Services

__all__ = ["scoring_app", "serve"]


def serve(model: str, /, *, host: str = "127.0.0.1", port: int = 8000, poll_seconds: float = 1.0) -> int:
    """Serve a model over HTTP: whatever its channel says, swapped without dropping a request.

    Example: gatewright serve crash_triage --port 8000

    Parameters
    ----------
    model
        The name of a model with a spec.
    host
        The address to listen on; anything but loopback needs GATEWRIGHT_SCORING_TOKEN and GATEWRIGHT_LABELS_TOKEN.
    port
        The port to listen on.
    poll_seconds
        How often to look whether the channel has moved.
    """
    import uvicorn

    from gatewright.wiring import connect

    app = scoring_app(connect(), model, host=host, poll_seconds=poll_seconds)
    uvicorn.run(app, host=host, port=port, log_level="warning")
    return 0


def scoring_app(services: "Services", model: str, *, host: str = "127.0.0.1", poll_seconds: float) -> "FastAPI":
    """The service for the channel that the settings name, to listen on ``host``.

    Raises SpecError for an unknown model, or an address that others reach without tokens.
    """
    from gatewright.services.prediction_log import PredictionLog
    from gatewright.services.targets.admission import tokens_for
    from gatewright.services.targets.scoring_app import create_app

    settings = services.settings
    return create_app(
        model=model,
        channel=settings.channel,
        spec=services.spec(model),
        registry=services.registry,
        blobs=services.blobs,
        channels=services.channels,
        evidence=services.evidence,
        prediction_log=PredictionLog(services.records, model),
        tokens=tokens_for(host, settings.scoring_token, settings.labels_token),
        poll_seconds=poll_seconds,
    )
