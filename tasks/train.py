"""Fit a candidate, or adopt one that an earlier release trained."""

import importlib
from collections.abc import Callable
from typing import Any

from pydantic import JsonValue

from gatewright.core.errors import ModelError
from gatewright.core.frames import targets_of
from gatewright.core.refs import Candidate
from gatewright.core.releases import Opening, ReleaseData
from gatewright.core.spec import ModelSpec
from gatewright.services.code_identity import library_versions
from gatewright.wiring import Services, connect
from tasks.stage import Findings, run_stage, stage_task

__all__ = ["adopt", "train"]


@stage_task(name="train")
def train(opening: Opening, data: ReleaseData) -> Candidate:
    """Fit the candidate on the pinned training data and store it under its digest.

    Raises ModelError when the training code fails, naming its entrypoint.
    """
    services = connect()
    candidate = services.evidence.find("candidate", opening.release_id, Candidate)
    if candidate is None:
        candidate = services.releases.record("candidate", opening, _fit(services, opening, data))
    _record(services, opening, candidate, "trained in this release")
    return candidate


@stage_task(name="adopt")
def adopt(opening: Opening, from_release: str) -> Candidate:
    """Take the candidate of an earlier release through the gates again, unchanged."""
    services = connect()
    candidate = services.evidence.read("candidate", from_release, Candidate)
    if candidate.model != opening.model:
        raise ModelError(
            f"it is a candidate for {candidate.model}.",
            where=f"release {from_release}",
            remedy=f"name a release of {opening.model}.",
        )
    candidate = services.releases.record("candidate", opening, candidate)
    _record(services, opening, candidate, f"trained in release {from_release}")
    return candidate


def _record(services: Services, opening: Opening, candidate: Candidate, origin: str) -> None:
    details: dict[str, JsonValue] = {
        "origin": origin,
        "features": list(candidate.features),
        "versions": dict(candidate.versions),
    }
    run_stage(services, "train", opening, lambda: Findings({"candidate": candidate}, details=details))


def _fit(services: Services, opening: Opening, data: ReleaseData) -> Candidate:
    spec = services.releases.spec(opening)
    frame = services.datasets(opening.model).load(data.training, [*opening.features, spec.target.column])
    categorical = [name for name in opening.features if name in spec.categorical]
    fit = _entrypoint(spec)
    try:
        model = fit(frame[list(opening.features)], targets_of(frame, spec), opening.features, categorical, spec.seed)
    except Exception as error:
        raise ModelError(
            f"training failed: {type(error).__name__}: {error}.",
            where=spec.training,
            remedy="run the function on the training data by hand and correct it.",
        ) from error
    return Candidate(
        model=spec.name,
        artifact=services.registry.save(model),
        features=opening.features,
        training=data.training,
        trained_at=services.now(),
        seed=spec.seed,
        author=opening.requested_by,
        code_revision=opening.code_revision,
        environment_sha256=opening.environment_sha256,
        versions=library_versions(),
    )


def _entrypoint(spec: ModelSpec) -> Callable[..., Any]:
    module, function = spec.training.split(":")
    try:
        return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]
    except (ImportError, AttributeError) as error:
        raise ModelError(
            f"the training entrypoint cannot be imported: {error}.",
            where=f"{spec.name}: training: {spec.training}",
            remedy="write `package.module:function` of a function that exists.",
        ) from error
