"""The machine-learning bill of materials: CycloneDX 1.6 as JSON.

The model, the data and the libraries it was made of are components with hashes or package URLs, and the graph says what
depends on what. The same evidence gives the same serial number and the same bytes. What the fields mean:
ECMA-424 (CycloneDX 1.6), section `modelCard`.
"""

import re
import uuid
from typing import Any
from urllib.parse import quote

from gatewright.core.refs import ArtifactRef, Candidate, DatasetFile
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.cards.bom_model_card import bom_model_card
from gatewright.services.reports.cards.data_card import files
from gatewright.services.reports.cards.machine_json import as_json, known
from gatewright.services.reports.cards.said import said_to_machines
from gatewright.services.reports.escape import plain

__all__ = ["mlbom"]

RELEASE, MODEL = "release", "model"
# A place that a tool may open; in anything else the colon is escaped, so that no other scheme is left.
_PLACE = re.compile(r"(?:s3|https?|file|gs|az|abfss?)://", re.IGNORECASE)
_URL_SIGNS = "/?#@!$&'()*+,;=%~"


def mlbom(view: ReleaseView) -> str:
    """What the model was made of, and its card, for tools that read bills of materials."""
    data = [_data(view, use, number, file) for use, number, file in files(view)]
    libraries = [] if view.candidate is None else _libraries(view.candidate)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, _identity(view))}",
        "version": 1,
        "metadata": _metadata(view),
        "components": [_model(view, [one["bom-ref"] for one in data]), *data, *libraries],
        "dependencies": _dependencies(data, libraries),
    }
    return as_json(document)


def _identity(view: ReleaseView) -> str:
    """What the bill is of: the evidence, else the model, else the release."""
    model = None if view.candidate is None else view.candidate.artifact.sha256
    return f"urn:gatewright:mlbom:{view.opening.release_id}:{view.evidence_root or model or 'opened'}"


def _metadata(view: ReleaseView) -> dict[str, Any]:
    """The time is that of the latest evidence."""
    times = [stage.finished_at for stage in view.stages.values()]
    return known(
        {
            "timestamp": f"{max(times, default=view.opening.opened_at):%Y-%m-%dT%H:%M:%SZ}",
            "lifecycles": [{"phase": "post-build"}],
            "component": {
                "type": "application",
                "bom-ref": RELEASE,
                "name": view.spec.name,
                "version": plain(view.opening.release_id),
                "description": plain(view.spec.title),
            },
            "supplier": _supplier(view),
        }
    )


def _supplier(view: ReleaseView) -> dict[str, Any] | None:
    provider = said_to_machines(view.spec.card, "annex_iv.provider")
    return {"name": provider[0]} if provider else None


def _model(view: ReleaseView, data: list[str]) -> dict[str, Any]:
    candidate, of_file = view.candidate, {}
    if candidate is not None:
        of_file = {
            "mime-type": candidate.artifact.media_type,
            "authors": [{"name": plain(candidate.author)}],
            "hashes": _hashes(candidate.artifact),
        }
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": view.spec.name,
        "version": plain(view.opening.release_id),
        "description": plain(view.spec.title),
        **of_file,
        "modelCard": bom_model_card(view, data),
        "properties": _made_by(view),
    }


def _made_by(view: ReleaseView) -> list[dict[str, str]]:
    """What CycloneDX has no field for, under our own name."""
    facts: dict[str, object] = {"training": view.spec.training, "policySha256": view.opening.policy.sha256}
    if view.candidate is not None:
        facts |= {
            "trainedAt": view.candidate.trained_at.isoformat(),
            "seed": view.candidate.seed,
            "codeRevision": view.candidate.code_revision,
            "environmentSha256": view.candidate.environment_sha256,
        }
    trusted = [("trustedType", name) for name in view.spec.trusted_types]
    return [{"name": f"gatewright:{name}", "value": plain(value)} for name, value in (*facts.items(), *trusted)]


def _data(view: ReleaseView, use: str, number: int, file: DatasetFile) -> dict[str, Any]:
    sensitive = [f"{plain(one.column)}: audited as {one.name}" for one in view.spec.sensitive]
    return {
        "type": "data",
        "bom-ref": f"{use}-{number}",
        "name": f"{use} data of {plain(file.period)}",
        "version": file.artifact.sha256[:12],
        "mime-type": file.artifact.media_type,
        "hashes": _hashes(file.artifact),
        "licenses": [{"license": {"name": plain(view.spec.data.license)}}],
        "copyright": plain(view.spec.data.attribution),
        "data": [
            {
                "type": "dataset",
                "name": f"{use} {plain(file.period)}",
                "contents": {
                    "url": _reference(file.uri),
                    "properties": [{"name": "gatewright:rows", "value": str(file.rows)}],
                },
                "sensitiveData": sensitive,
            }
        ],
    }


def _reference(uri: str) -> str:
    """As RFC 3987 asks of an IRI reference."""
    return quote(plain(uri), safe=f"{_URL_SIGNS}:" if _PLACE.match(uri) else _URL_SIGNS)


def _libraries(candidate: Candidate) -> list[dict[str, Any]]:
    return [_library(name, version) for name, version in sorted(candidate.versions.items())]


def _library(name: str, version: str) -> dict[str, Any]:
    kind = "generic" if name == "python" else "pypi"
    purl = f"pkg:{kind}/{quote(plain(name), safe='')}@{quote(plain(version), safe='')}"
    return {
        "type": "platform" if name == "python" else "library",
        "bom-ref": purl,
        "name": plain(name),
        "version": plain(version),
        "purl": purl,
    }


def _dependencies(data: list[dict[str, Any]], libraries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The model was made of its training data and the libraries; the release rests on the evaluation data too."""
    refs = {one["bom-ref"] for one in data}
    learned = sorted(ref for ref in refs if ref.startswith("training-"))
    made_of = [*learned, *(one["bom-ref"] for one in libraries)]
    leaves = [*sorted(refs), *(one["bom-ref"] for one in libraries)]
    return [
        {"ref": RELEASE, "dependsOn": [MODEL, *sorted(refs - set(learned))]},
        {"ref": MODEL, "dependsOn": made_of},
        *({"ref": ref} for ref in leaves),
    ]


def _hashes(ref: ArtifactRef) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": ref.sha256}]
