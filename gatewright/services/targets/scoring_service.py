"""The scoring service seen from outside: ask its ``/health`` which model answers."""

import time
from collections.abc import Callable

import httpx
from pydantic import BaseModel, ValidationError

from gatewright.core.errors import TargetError
from gatewright.core.records import Sha256

__all__ = ["ScoringServiceTarget"]

REQUEST_TIMEOUT_SECONDS = 5.0


class _Health(BaseModel):
    """What of ``/health`` counts here."""

    serving: Sha256 | None
    wanted: Sha256 | None
    error: str | None


class ScoringServiceTarget:
    """One scoring service, at ``url``."""

    def __init__(self, url: str, *, client: httpx.Client | None = None) -> None:
        self._url = url.rstrip("/")
        # The service is on our own network: a proxy of the environment must not answer for it.
        self._client = client or httpx.Client(timeout=REQUEST_TIMEOUT_SECONDS, trust_env=False)

    def serving(self) -> str | None:
        """SHA-256 of the model that answers requests now. Raises TargetError when it cannot be asked."""
        return self._health().serving

    def wait_until_serving(
        self,
        model_sha256: str | None,
        *,
        timeout_seconds: float,
        poll_seconds: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Poll until ``model_sha256`` serves; the last look is made when the time is over, not before.

        Raises TargetError with what the service reports instead, and its own error.
        """
        deadline = clock() + timeout_seconds
        while (found := self._instead_of(model_sha256)) is not None:
            left = deadline - clock()
            if left <= 0:
                raise TargetError(
                    f"after {timeout_seconds:g} s it does not serve {model_sha256 or 'nothing'}: {found}",
                    where=self._url,
                    remedy="look at the service's log and `/health`; release again when it is well.",
                )
            sleep(min(poll_seconds, left))

    def _instead_of(self, model_sha256: str | None) -> str | None:
        """None when ``model_sha256`` serves, otherwise a sentence on what does."""
        try:
            health = self._health()
        except TargetError as error:
            return error.problem
        if health.serving == model_sha256:
            return None
        return (
            f"it serves {health.serving or 'nothing'}, wants {health.wanted or 'nothing'}, "
            f"and reports {(health.error or 'no error').rstrip('.')}."
        )

    def _health(self) -> _Health:
        address = f"{self._url}/health"
        try:
            answer = self._client.get(address)
            answer.raise_for_status()
            return _Health.model_validate_json(answer.content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TargetError(
                f"the scoring service does not answer ({type(error).__name__}: {error}).",
                where=address,
                remedy="start it with `gatewright serve`, or correct its address in the settings.",
            ) from error
        except ValidationError as error:
            raise TargetError(
                "what answers is no scoring service.", where=address, remedy="correct its address in the settings."
            ) from error
