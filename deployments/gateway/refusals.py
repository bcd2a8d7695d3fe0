"""What the gateway answers instead of Prefect."""

from starlette.responses import JSONResponse

__all__ = ["RefusalError", "UnansweredError", "reply"]


class RefusalError(Exception):
    """A request that does not reach Prefect; ``wait`` is in seconds."""

    def __init__(self, status: int, message: str, *, wait: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.wait = wait


class UnansweredError(Exception):
    """A form that is not filled in: the run keeps waiting."""


def reply(problem: RefusalError | UnansweredError) -> JSONResponse:
    """In the shapes that Prefect's UI and client show.

    Never with ``WWW-Authenticate``: a browser would then send the secret by itself, for any page that asks.
    """
    if isinstance(problem, UnansweredError):
        details = {"type": "reject_details", "reason": str(problem)}
        return JSONResponse({"state": None, "status": "REJECT", "details": details})
    headers = {} if problem.wait is None else {"Retry-After": str(problem.wait)}
    body = {"detail": problem.message, "exception_message": problem.message}
    return JSONResponse(body, problem.status, headers)
