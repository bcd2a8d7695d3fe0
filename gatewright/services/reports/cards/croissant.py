"""The data card for machines: Croissant 1.0 (MLCommons) as JSON-LD, with its responsible-AI vocabulary RAI 1.0.

``mlcroissant.Dataset(jsonld="croissant.json")`` validates it, and reads the rows where the files lie beside it as the
spec says; each file is held against its SHA-256 before it is read.
"""

from typing import Any
from urllib.parse import quote

from gatewright.core.refs import DatasetFile
from gatewright.core.release_view import ReleaseView
from gatewright.services.reports.cards.columns import Column, columns
from gatewright.services.reports.cards.data_card import files
from gatewright.services.reports.cards.machine_json import as_json, known
from gatewright.services.reports.cards.said import said_to_machines
from gatewright.services.reports.escape import plain

__all__ = ["croissant"]

CONFORMS_TO = ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]
# Of the specification, section "Appendix 1: JSON-LD context".
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
# The name that readers of Croissant know the format by, which is not the registered one.
PARQUET = "application/x-parquet"
# The beginning of a pandas type -> the type of schema.org.
TYPES = {
    "int": "sc:Integer",
    "uint": "sc:Integer",
    "float": "sc:Float",
    "bool": "sc:Boolean",
    "datetime": "sc:DateTime",
}


def croissant(view: ReleaseView) -> str:
    """The data of a release: every file with its digest, every column with its type, and what only people know."""
    spec, source = view.spec, view.spec.data
    described = columns(view)
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": f"{spec.name}-{plain(view.opening.period)}",
        "conformsTo": CONFORMS_TO,
        "description": f"Training and evaluation data of {plain(view.opening.release_id)}: {plain(spec.title)}",
        "url": None if view.data is None else f"urn:sha256:{view.data.training.digest}",
        "license": plain(source.license),
        "creator": {"@type": "sc:Organization", "name": plain(source.attribution)},
        "citeAs": plain(source.attribution),
        "keywords": ["gatewright", spec.name],
        "datePublished": f"{view.opening.opened_at:%Y-%m-%d}",
        "version": _version(view),
        **_responsible_ai(view, described),
        "distribution": [_file(use, number, file) for use, number, file in files(view)],
        "recordSet": [_records(view, use, number, file, described) for use, number, file in files(view)],
    }
    return as_json(known(document))


def _version(view: ReleaseView) -> str | None:
    """There is no better or worse version of data, only another one: the digest tells which."""
    return None if view.data is None else f"1.0.0+{view.data.digest[:12]}"


def _responsible_ai(view: ReleaseView, described: list[Column]) -> dict[str, Any]:
    card = view.spec.card
    missing = ", ".join(f"{plain(column.name)} {column.missing:,}" for column in described if column.missing)
    personal = said_to_machines(card, "data_personal")
    sensitive = [f"{plain(one.column)}: its groups are audited as {one.name}" for one in view.spec.sensitive]
    return {
        "rai:dataCollection": _one(said_to_machines(card, "data_collection")),
        "rai:dataCollectionMissingData": missing and f"Missing values in the training data: {missing}",
        "rai:dataAnnotationProtocol": said_to_machines(card, "data_labelling"),
        "rai:dataPreprocessingProtocol": said_to_machines(card, "data_preparation"),
        "rai:dataBiases": said_to_machines(card, "data_biases"),
        "rai:dataUseCases": said_to_machines(card, "data_uses"),
        "rai:dataLimitations": [plain(card.limits)],
        "rai:dataSocialImpact": plain(card.ethical_considerations),
        "rai:personalSensitiveInformation": [*personal, *sensitive],
        "rai:dataReleaseMaintenancePlan": _one(said_to_machines(card, "data_maintenance")),
    }


def _one(texts: list[str]) -> str | None:
    return texts[0] if texts else None


def _file(use: str, number: int, file: DatasetFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"{use}-{number}",
        "name": f"{use} {plain(file.period)}",
        "description": f"{file.rows:,} rows of {plain(file.period)}, used for {use}.",
        "contentUrl": plain(file.uri),
        "contentSize": f"{file.artifact.size} B",
        "encodingFormat": PARQUET,
        "sha256": file.artifact.sha256,
    }


def _records(view: ReleaseView, use: str, number: int, file: DatasetFile, described: list[Column]) -> dict[str, Any]:
    of = f"{use}-{number}"
    # What names a row; all columns of the key are columns of the spec.
    key = [{"@id": _field_id(of, name)} for name in view.spec.data.key]
    return {
        "@type": "cr:RecordSet",
        "@id": f"{of}-rows",
        "name": f"{use} rows of {plain(file.period)}",
        "key": key,
        "field": [_field(view, of, column) for column in described],
    }


def _field(view: ReleaseView, file: str, column: Column) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": _field_id(file, column.name),
        "name": plain(column.name),
        "description": plain("; ".join(column.roles)),
        "dataType": _data_type(view, column),
        "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
    }


def _field_id(file: str, column: str) -> str:
    return f"{file}-rows/{quote(column, safe='')}"


def _data_type(view: ReleaseView, column: Column) -> str:
    """As profiled; before that, numbers that the model reads, and text."""
    if column.type is not None:
        return next((name for start, name in TYPES.items() if column.type.startswith(start)), "sc:Text")
    numeric = column.name in view.opening.features and column.name not in view.spec.categorical
    return "sc:Float" if numeric else "sc:Text"
