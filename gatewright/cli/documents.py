"""``gatewright documents``: the report and the cards of a release, as they were written or made again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewright.cli.find import ReleaseName, find_release
from gatewright.cli.output import Json, print_json, print_table
from gatewright.core.records import sha256_hex

if TYPE_CHECKING:
    from gatewright.services.documents import Documents, WrittenDocuments
    from gatewright.services.reports.documents import DocumentKind

__all__ = ["documents"]

PASS, BLOCKED = 0, 2
Out = Annotated[Path | None, Parameter(help="Write the documents into this directory.")]
Check = Annotated[bool, Parameter(negative="", help="Make them again from the evidence, and compare byte for byte.")]


def documents(
    release: ReleaseName, name: str | None = None, /, *, out: Out = None, check: Check = False, as_json: Json = False
) -> int:
    """List the documents of a release, write them into a directory, or print the one named.

    They are those of its end, or, while it is not over, those that people were asked with. Exit code 2 when --check
    finds one that comes out differently.

    Example: gatewright documents crash_triage-2001-1 --out evidence/

    Parameters
    ----------
    name
        Only this document, such as model-card or report.
    """
    from gatewright.services.reports.documents import DOCUMENTS, document_kind
    from gatewright.wiring import connect

    services = connect(read_only=True)
    release_id, store = find_release(services, release), services.documents
    kinds = (document_kind(name),) if name else DOCUMENTS
    if check:
        return _check(store, release_id, kinds, as_json=as_json)
    if out is not None:
        return _write(store, release_id, kinds, out)
    if name is not None and not as_json:
        print(store.read(release_id, kinds[0].name).decode())
        return PASS
    moment, written = store.latest(release_id)
    rows = [
        {"document": kind.name, "file": kind.filename, "bytes": ref.size, "sha256": ref.sha256}
        for kind in kinds
        if (ref := written.documents.get(kind.name))
    ]
    if as_json:
        print_json({"release": release_id, **_made(written, moment), "documents": rows})
    else:
        print(f"{release_id}, as {moment}, made by {written.made_by}")
        print_table(rows, empty="No document.")
    return PASS


def _made(written: "WrittenDocuments", moment: str) -> dict[str, str]:
    return {"moment": moment, "version": written.version, "revision": written.revision}


def _write(store: "Documents", release_id: str, kinds: "tuple[DocumentKind, ...]", out: Path) -> int:
    out.mkdir(parents=True, exist_ok=True)
    written = store.latest(release_id)[1].documents
    for kind in kinds:
        if kind.name in written:
            (out / kind.filename).write_bytes(store.read(release_id, kind.name))
            print(out / kind.filename)
    return PASS


def _check(store: "Documents", release_id: str, kinds: "tuple[DocumentKind, ...]", *, as_json: bool) -> int:
    moment, written = store.latest(release_id)
    again = store.again(release_id, moment)
    rows = [
        {
            "document": kind.name,
            "stored": written.documents[kind.name].sha256,
            "again": sha256_hex(again[kind.name]),
        }
        for kind in kinds
        if kind.name in written.documents
    ]
    same = all(row["stored"] == row["again"] for row in rows)
    if as_json:
        print_json({"release": release_id, **_made(written, moment), "same": same, "documents": rows})
    else:
        lines = [
            {"document": row["document"], "made again": "the same" if row["stored"] == row["again"] else "DIFFERS"}
            for row in rows
        ]
        print_table(lines, empty="No document.")
        if not same:
            print(f"They were made by {written.made_by}.")
    return PASS if same else BLOCKED
