"""``gatewright serve``: the scoring service that follows a model's channel."""

__all__ = ["serve"]


def serve(model: str, /, *, host: str = "127.0.0.1", port: int = 8000, poll_seconds: float = 1.0) -> int:
    """Serve a model over HTTP: whatever its channel says, swapped without dropping a request.

    Example: gatewright serve crash_triage --port 8000

    Parameters
    ----------
    model
        The name of a model with a spec.
    host
        The address to listen on; anything but loopback needs a proxy that authenticates in front.
    port
        The port to listen on.
    poll_seconds
        How often to look whether the channel has moved.
    """
    import uvicorn

    from gatewright.services.prediction_log import PredictionLog
    from gatewright.services.targets.scoring_app import create_app
    from gatewright.wiring import connect

    services = connect()
    app = create_app(
        model=model,
        channel=services.settings.channel,
        spec=services.spec(model),
        registry=services.registry,
        blobs=services.blobs,
        channels=services.channels,
        evidence=services.evidence,
        prediction_log=PredictionLog(services.records, model),
        poll_seconds=poll_seconds,
    )
    uvicorn.run(app, host=host, port=port, log_level="warning")
    return 0
