"""Training code whose error quotes a credential, as errors of HTTP libraries do."""

__all__ = ["PLANTED", "fit"]

PLANTED = "hunter2-ab.CD+ef/12"


def fit(*_: object) -> object:
    """Fail as a library does that shows the request it sent."""
    raise RuntimeError(f"403 for GET https://svc:{PLANTED}@features.example/v1, Authorization: Bearer {PLANTED}")
