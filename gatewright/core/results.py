"""What was measured, and what a policy's rule says of it."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, JsonValue, model_validator

from gatewright.core.records import Record, Sha256, Timestamp
from gatewright.core.refs import ArtifactRef

__all__ = ["CheckResult", "Interval", "Measurement", "Severity", "StageEvidence", "Status"]


class Status(StrEnum):
    """Only ``passed`` passes."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"  # too little data to tell
    ERROR = "error"  # could not be measured


class Severity(StrEnum):
    """What a rule that did not pass does: stop the release, raise an alarm, or be reported only."""

    BLOCK = "block"
    WARN = "warn"
    SHADOW = "shadow"


class Interval(Record):
    """A two-sided confidence interval; ``confidence`` is 1 - 2 * alpha of the policy's one-sided alpha."""

    low: float
    high: float
    confidence: Annotated[float, Field(gt=0, lt=1)]
    method: str

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.high:
            raise ValueError("low must not exceed high")
        return self


class Measurement(Record):
    """One number: ``metric`` on ``slice`` over ``n`` rows.

    ``value`` is None when it could not be measured, and ``note`` then says why. ``interval`` is None only
    for exact counts (failed expectations, bytes), which have no sampling error. ``p_value`` is that of a
    two-sided test of no difference, for changes to the champion and for distances; of slices that a search
    found it is one-sided and adjusted for the search.
    """

    metric: str
    slice: str = "all"
    value: float | None
    interval: Interval | None = None
    n: Annotated[int, Field(ge=0)]
    p_value: Annotated[float, Field(ge=0, le=1)] | None = None
    note: str = ""


class CheckResult(Record):
    """A rule applied to one measurement. ``reason`` is a sentence for people.

    ``test`` says in words what was tested. ``p_value`` is one-sided, of the hypothesis that the rule is
    broken; under Holm and Benjamini-Hochberg of the hypothesis that it is kept, and ``adjusted_p_value`` for
    all slices together. ``smallest_effect``: the distance from the limit that would have been seen with the
    policy's power, in the metric's unit; ``n_needed``: rows with which the effect the rule asks for would be.
    """

    rule: str
    stage: str
    metric: str
    slice: str
    value: float | None
    interval: Interval | None
    minimum: float | None
    maximum: float | None
    n: int
    status: Status
    severity: Severity
    reason: str
    test: str = ""
    p_value: Annotated[float, Field(ge=0, le=1)] | None = None
    adjusted_p_value: Annotated[float, Field(ge=0, le=1)] | None = None
    smallest_effect: Annotated[float, Field(ge=0)] | None = None
    n_needed: Annotated[int, Field(ge=0)] | None = None

    def __str__(self) -> str:
        """One sentence for people."""
        place = "" if self.slice == "all" else f" on {self.slice}"
        return f"{self.rule}: {self.metric}{place} {self.status.value}: {self.reason}"


class StageEvidence(Record):
    """Everything one stage of one release leaves behind.

    ``details`` holds what a reader wants beyond measurements (curves, tables), ``artifacts`` larger files.
    """

    release_id: str
    stage: str
    started_at: Timestamp
    finished_at: Timestamp
    inputs: dict[str, Sha256]
    measurements: tuple[Measurement, ...] = ()
    details: dict[str, JsonValue] = {}
    artifacts: dict[str, ArtifactRef] = {}
