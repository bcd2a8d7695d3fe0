"""What is left of a past release to judge it again: its measurements, who it was, and what was decided then.

No rows, no names of people, no texts that people wrote: numbers on named slices, and digests.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError

from gatewright.core.decision import Outcome
from gatewright.core.errors import IntegrityError
from gatewright.core.policy import Rule
from gatewright.core.records import Name, Record, Sha256, Timestamp, canonical_json, sha256_hex
from gatewright.core.releases import ReleaseState
from gatewright.core.results import CheckResult, Measurement

__all__ = ["MeasuredRelease", "MeasuredReleases", "Standing", "asked_of"]

# As canonical JSON orders it; so the digest is of bytes as they stand, and nothing is written again to compare.
_FRAME = re.compile(rb'\{"content":(?P<content>\{.*\}),"sha256":"(?P<sha256>[0-9a-f]{64})"\}', re.DOTALL)
_REMEDY = "export it again with `gatewright policy evidence`."


class Standing(Record):
    """What a policy says of a release, waivers left out; ``missed`` are results that count and did not pass."""

    outcome: Outcome
    tier: str | None
    missed: tuple[CheckResult, ...]


class MeasuredRelease(Record):
    """One release that was decided.

    ``decided`` is by the policy that was pinned then; ``waivers``: how many its real decision rested on. ``absent``
    names what that policy asked for and nobody measured (see `asked_of`), so that it counts against it again.
    ``records`` holds the digest of each record the measurements were read from, ``evidence`` the root over them.
    """

    release_id: Name
    model: Name
    period: str
    decided_at: Timestamp
    state: ReleaseState
    serves: bool
    has_champion: bool
    sensitive_domain: bool | None
    personal_data: bool | None
    policy_changed: bool | None
    policy_version: int
    policy_sha256: Sha256
    alpha: Annotated[float, Field(gt=0, le=0.25)]
    minimum_support: int
    decided: Standing
    waivers: Annotated[int, Field(ge=0)]
    absent: tuple[str, ...]
    evidence: Sha256
    records: dict[str, Sha256]
    measurements: dict[str, tuple[Measurement, ...]]

    @property
    def released(self) -> bool:
        """Whether it went into production, or could have."""
        return self.serves or self.state is ReleaseState.DEPLOYED or self.decided.outcome == "promote"

    def pairs(self) -> Iterator[tuple[str, Measurement]]:
        """All measurements with the stage that made them."""
        for stage, measurements in self.measurements.items():
            for measurement in measurements:
                yield stage, measurement


class MeasuredReleases(Record):
    """Releases of one model, the earliest first, and the digest of what is written here."""

    format: Literal["gatewright-measurements-1"] = "gatewright-measurements-1"
    model: Name
    releases: tuple[MeasuredRelease, ...]

    def to_file(self) -> bytes:
        """Canonical JSON (RFC 8785) with ``sha256`` over ``content``; what has its default is left out."""
        content = {**self.model_dump(mode="json", exclude_defaults=True), "format": self.format}
        return canonical_json({"sha256": sha256_hex(canonical_json(content)), "content": content})

    @classmethod
    def from_file(cls, body: bytes, *, where: str) -> Self:
        """Raises IntegrityError for bytes that are not as `to_file` wrote them."""
        found = _FRAME.fullmatch(body)
        if found is None or sha256_hex(found["content"]) != found["sha256"].decode():
            raise IntegrityError("its digest is not that of its content.", where=where, remedy=_REMEDY)
        try:
            known = cls.model_validate_json(found["content"])
        except ValidationError as error:
            problem = f"not what this version reads: {error.errors()[0]['msg']}."
            raise IntegrityError(problem, where=where, remedy=_REMEDY) from error
        if any(release.model != known.model for release in known.releases):
            raise IntegrityError("it holds releases of another model.", where=where, remedy=_REMEDY)
        return known

    def since(self, moment: datetime) -> "MeasuredReleases":
        """Those that were decided at ``moment`` or later."""
        return self.model_copy(update={"releases": tuple(r for r in self.releases if r.decided_at >= moment)})


def asked_of(rule: Rule) -> str:
    """What a rule asks to be measured: stage, metric and slices."""
    return f"{rule.stage}/{rule.measured_as}/{rule.slices}"
