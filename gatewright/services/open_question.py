"""What somebody is about to sign, verified from the bytes in the store, so that what is shown is what is signed."""

from dataclasses import dataclass

from gatewright.core.errors import ApprovalError, IntegrityError
from gatewright.core.refs import Candidate
from gatewright.core.release_view import ReleaseView
from gatewright.core.releases import EvidenceRoot, ReleaseState
from gatewright.core.statements import Request, missing_approvals
from gatewright.services.releases import Releases

__all__ = ["OpenQuestion", "open_question"]


@dataclass(frozen=True)
class OpenQuestion:
    """A release that waits for approval: all that is shown of it, and the request that is signed.

    ``late``: it serves already, since somebody broke the glass, and no run waits for the answer.
    """

    view: ReleaseView
    request: Request
    late: bool = False


def open_question(releases: Releases, release_id: str) -> OpenQuestion:
    """What a release asks, after every digest was computed again.

    Raises ApprovalError when it asks nothing, ConflictError when it has ended, IntegrityError when anything differs
    from what the ledger says is asked, NotFoundError for an unknown release.
    """
    view = releases.view(release_id)
    late = _is_late(releases, view)
    if not late:
        releases.must_be_open(view.opening)
    if view.request is None or view.candidate is None or view.data is None:
        raise ApprovalError(
            "nobody is asked yet.", where=f"release {release_id}", remedy="wait until its gates have run."
        )
    releases.verify_evidence(view.opening, view.candidate, view.data, view.request)
    if _root_of(view, view.candidate).digest != view.request.evidence_root:
        raise IntegrityError(
            "the evidence changed while it was read.",
            where=f"release {release_id}",
            remedy="sign nothing; find out who writes to the store.",
        )
    return OpenQuestion(view, view.request, late)


def _is_late(releases: Releases, view: ReleaseView) -> bool:
    """Whether it serves by the word of one person, and the others have yet to say theirs."""
    if view.state is not ReleaseState.DEPLOYED or view.request is None:
        return False
    return releases.emergency(view.request) is not None and missing_approvals(view.approvals, view.request) > 0


def _root_of(view: ReleaseView, candidate: Candidate) -> EvidenceRoot:
    """The root over the very objects that are shown, not over what the store holds by now."""
    shown = {"opening": view.opening, "data": view.data, "candidate": candidate, "decision": view.decision}
    records = {name: record.digest for name, record in {**shown, **view.stages}.items() if record is not None}
    return EvidenceRoot(release_id=view.opening.release_id, records=records, model_sha256=candidate.artifact.sha256)
