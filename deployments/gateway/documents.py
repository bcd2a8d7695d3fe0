"""Documents and Data Docs of releases, for people who read them in a browser. What is not on the list is not there."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from deployments.gateway.logins import Caller
from deployments.gateway.refusals import RefusalError
from gatewright.core.errors import NotFoundError
from gatewright.core.refs import ArtifactRef
from gatewright.core.results import StageEvidence
from gatewright.services.blobs import BlobStore
from gatewright.services.documents import Documents
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.reports.documents import DOCUMENTS

__all__ = ["DocumentPages", "is_document"]

PREFIX = "/gatewright"
_NAME = r"[a-z0-9][a-z0-9_.-]{0,62}"
_DOCUMENT = re.compile(rf"{PREFIX}/releases/({_NAME})/([a-z0-9.-]{{1,80}})", re.ASCII)
_DATA_DOCS = re.compile(
    rf"{PREFIX}/releases/({_NAME})/data-docs/((?:training|evaluation))/([\w./-]{{1,200}})", re.ASCII
)
_MISSING = "There is no such document."
# No script, no form, no request to anywhere, an origin of its own: a page made from data must not act for its reader.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_KINDS = {kind.filename: kind for kind in DOCUMENTS}
_UTF8 = "; charset=utf-8"
# A browser shows these; whatever else there is it may only save.
_SHOWN = {
    "text/html": "text/html" + _UTF8,
    "text/markdown": "text/plain" + _UTF8,
    "application/json": "application/json",
}
_SAVED = "application/octet-stream"


def is_document(path: str) -> bool:
    """Whether a path is served here, and never by Prefect."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


@dataclass(frozen=True)
class DocumentPages:
    """An ASGI app for one caller at a time. ``active`` says whether the roster knows somebody today."""

    documents: Documents
    evidence: EvidenceStore
    blobs: BlobStore
    active: Callable[[str], bool]

    async def __call__(self, scope: Scope, receive: Receive, send: Send, caller: Caller | None) -> None:
        """Raises RefusalError for whoever may not read, and for what is not there."""
        if scope["method"] not in ("GET", "HEAD"):
            raise RefusalError(403, "Documents are only read.")
        if caller is None:
            await _ask_for_login()(scope, receive, send)
            return
        if not caller.service and not await asyncio.to_thread(self.active, caller.name):
            raise RefusalError(403, f"{caller.name} is not in the roster today.")
        body, media_type = await asyncio.to_thread(self._read, scope["path"])
        await Response(body, headers={**HEADERS, "Content-Type": media_type})(scope, receive, send)

    def _read(self, path: str) -> tuple[bytes, str]:
        try:
            if found := _DATA_DOCS.fullmatch(path):
                return self._data_docs(*found.groups())
            if (found := _DOCUMENT.fullmatch(path)) and found[2] in _KINDS:
                kind = _KINDS[found[2]]
                return self.documents.read(found[1], kind.name), _SHOWN.get(kind.media_type, _SAVED)
        except NotFoundError:
            pass
        raise RefusalError(404, _MISSING)

    def _data_docs(self, release_id: str, part: str, page: str) -> tuple[bytes, str]:
        ref = self._artifacts(release_id).get(f"{part}/data-docs/{page}")
        if ref is None:
            raise RefusalError(404, _MISSING)
        return self.blobs.get(ref), _SHOWN.get(ref.media_type, _SAVED)

    def _artifacts(self, release_id: str) -> dict[str, ArtifactRef]:
        return self.evidence.read("validate", release_id, StageEvidence).artifacts


def _ask_for_login() -> Response:
    """With a header that makes a browser ask: Prefect's own login is not sent along when somebody follows a link.

    The browser then sends the secret for addresses below this one by itself (RFC 7617, 2.2), where nothing is written.
    """
    headers = {**HEADERS, "WWW-Authenticate": 'Basic realm="Gatewright documents", charset="UTF-8"'}
    return PlainTextResponse("Log in with your id in the roster and your secret.", 401, headers)
