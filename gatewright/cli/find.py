"""What people name on the command line: a release by its id, its model's digest or the beginning of either; a model."""

import difflib
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewright.core.errors import NotFoundError
from gatewright.core.refs import Candidate
from gatewright.services.reports.escape import plain

if TYPE_CHECKING:
    from gatewright.core.release_view import ReleaseView
    from gatewright.wiring import Services

__all__ = [
    "Channel",
    "ModelName",
    "ReleaseName",
    "find_release",
    "known_channel",
    "known_model",
    "model_of",
    "read_release",
]

ReleaseName = Annotated[str, Parameter(help="A release id or a model's SHA-256, or the beginning of either.")]
ModelName = Annotated[str, Parameter(help="Name of the model.")]
Channel = Annotated[str, Parameter(help="Which pointer: production or staging.")]

CHANNELS = ("production", "staging")
MAX_NAMED = 5
# Fewer digits of a model's digest would match by chance.
MIN_DIGITS = 6


def find_release(services: "Services", text: str) -> str:
    """The release id for an id, a model's SHA-256, or the beginning of either.

    Raises NotFoundError when nothing, or more than one release, matches.
    """
    known = services.evidence.releases()
    if text in known:
        return text
    matches = [release for release in known if text and release.startswith(text)] or _by_model(services, known, text)
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise NotFoundError(
            f"no release and no model begins with `{plain(text)[:80]}`.",
            where="release store",
            remedy=f"`gatewright releases` lists what there is; of a digest write {MIN_DIGITS} digits or more.",
        )
    named = ", ".join(matches[:MAX_NAMED]) + (", ..." if len(matches) > MAX_NAMED else "")
    raise NotFoundError(
        f"{len(matches)} releases match `{plain(text)[:80]}`: {named}.",
        where="release store",
        remedy="write one release id in full.",
    )


def read_release(text: str) -> "tuple[Services, ReleaseView]":
    """The services, only to read with, and all that is known of the release that is meant. Raises as `find_release`."""
    from gatewright.wiring import connect

    services = connect(read_only=True)
    return services, services.view(find_release(services, text))


def known_model(services: "Services", model: str) -> str:
    """``model`` when the ledger knows it. Raises NotFoundError for any other name, with the nearest."""
    models = services.ledger.models()
    if model in models:
        return model
    nearest = difflib.get_close_matches(model, models, n=1)
    hint = f"did you mean `{nearest[0]}`?" if nearest else f"known models: {', '.join(models) or 'none'}."
    raise NotFoundError(f"no release of a model `{plain(model)[:80]}` was ever opened.", where="ledger", remedy=hint)


def known_channel(services: "Services", channel: str) -> str:
    """``channel`` when there is such a one. Raises NotFoundError for any other name, with the nearest."""
    known = list(dict.fromkeys((*CHANNELS, services.settings.channel)))
    if channel in known:
        return channel
    nearest = difflib.get_close_matches(channel, known, n=1)
    hint = f"did you mean `{nearest[0]}`?" if nearest else f"name one of: {', '.join(known)}."
    raise NotFoundError(f"there is no channel `{plain(channel)[:80]}`.", where="--channel", remedy=hint)


def model_of(services: "Services", release_id: str) -> str | None:
    """SHA-256 of a release's model, None before it has one."""
    candidate = services.evidence.find("candidate", release_id, Candidate)
    return None if candidate is None else candidate.artifact.sha256


def _by_model(services: "Services", releases: list[str], text: str) -> list[str]:
    if len(text) < MIN_DIGITS:
        return []
    return [release for release in releases if (model_of(services, release) or "").startswith(text.lower())]
