"""One family of errors, split by who must act. Each says what is wrong, where, and what to do."""

from gatewright.core.redaction import redacted

__all__ = [
    "ApprovalError",
    "ConflictError",
    "DataError",
    "GatewrightError",
    "IntegrityError",
    "ModelError",
    "NotFoundError",
    "ServerError",
    "SigningError",
    "SpecError",
    "StoreError",
    "TargetError",
]


class GatewrightError(Exception):
    """A problem with its place and its remedy.

    ``problem`` is one sentence, ``where`` names a file, line, object key or address, ``remedy`` says what
    the reader can do about it. What looks like a credential in them is cut out: they end in logs and ledgers.
    """

    def __init__(self, problem: str, *, where: str, remedy: str) -> None:
        problem, where, remedy = redacted(problem), redacted(where), redacted(remedy)
        super().__init__(problem, where, remedy)
        self.problem = problem
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.problem} Remedy: {self.remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling between processes.
        return _rebuild, (type(self), self.problem, self.where, self.remedy)


def _rebuild(kind: type[GatewrightError], problem: str, where: str, remedy: str) -> GatewrightError:
    return kind(problem, where=where, remedy=remedy)


class SpecError(GatewrightError):
    """The author of a model spec, policy, roster or suite must correct the file."""


class DataError(GatewrightError):
    """The owner of the data must correct it."""


class ModelError(GatewrightError):
    """The data scientist must correct the model or its training code."""


class ApprovalError(GatewrightError):
    """An approver must answer again."""


class StoreError(GatewrightError):
    """The platform engineer must look at the object store."""


class NotFoundError(StoreError):
    """The object asked for is not in the store."""


class ConflictError(StoreError):
    """Somebody else wrote first; read again, then decide again."""


class IntegrityError(StoreError):
    """Bytes in the store are not the bytes that were written: stop and investigate."""


class SigningError(GatewrightError):
    """Whoever signs or verifies must put the key file or ssh-keygen in order."""


class ServerError(GatewrightError):
    """The platform engineer must look at the Prefect server, or whoever asks at how they reach it."""


class TargetError(GatewrightError):
    """The serving target does not do what the channel says."""
