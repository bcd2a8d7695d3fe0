"""The step of an audit about the attestations of a release: by the pipeline, and saying what is true."""

from datetime import datetime

from gatewright.core.approval import CLOCK_SKEW
from gatewright.core.attestation import PAYLOAD_TYPE, must_attest, passed, quorum_completed_at
from gatewright.core.audit import UnprovenError
from gatewright.core.break_glass import Emergency
from gatewright.core.release_view import ReleaseView
from gatewright.core.statements import Request
from gatewright.services.attestations import ATTESTATION, LATE_ATTESTATION, Attestation
from gatewright.services.audit.records import ReleaseRecords
from gatewright.services.dsse import opened_envelope

__all__ = ["attestation"]

_PASSED, _FAILED = "PASSED, rightly", "FAILED, rightly"


def attestation(of: ReleaseRecords) -> str:
    """Each envelope is signed by the pipeline's key of its time, and says what is computed again here."""
    record, late = (of.store.evidence.find(n, of.release_id, Attestation) for n in (ATTESTATION, LATE_ATTESTATION))
    end = next((entry for entry in of.events if entry.kind == "deployed"), None)
    if record is None and end is None:
        return "not attested: it was not deployed"
    if record is None:
        raise UnprovenError(
            "it was deployed, and not attested.",
            where=of.where,
            remedy="give the pipeline a key; what is missing here is proven by the other steps.",
        )
    view = of.store.releases.view(of.release_id)
    # An attested release was at least decided, but nobody may have been asked.
    request = of.store.evidence.find("request", of.release_id, Request)
    emergency = of.store.releases.emergency(request) if request else None
    said = _held(of, record, view, emergency, (end or of.events[-1]).at)
    return f"{said}; {_completed(of, late, view, emergency)}" if late else said


def _completed(of: ReleaseRecords, late: Attestation, view: ReleaseView, emergency: Emergency | None) -> str:
    """What was attested when the quorum that a break-glass had replaced was there."""
    completed = quorum_completed_at(view, emergency) if emergency else None
    if completed is None:
        raise of.broken("it was attested a second time, and nobody broke the glass for it or the quorum is not there")
    said = _held(of, late, view, emergency, completed)
    if not said.endswith(_PASSED):
        raise of.broken("what was attested a second time is not that it passed")
    return said


def _held(
    of: ReleaseRecords, record: Attestation, view: ReleaseView, emergency: Emergency | None, since: datetime
) -> str:
    store = of.store
    keys = store.pipeline.at(since)
    payload = opened_envelope(store.blobs.get(record.envelope), PAYLOAD_TYPE, keys, where=of.where)
    rosters = (store.releases.roster(of.opening), store.roster(since))
    at = must_attest(payload, view, rosters, store.signatures, environment=of.model.channel, emergency=emergency)
    if not at >= since - CLOCK_SKEW:
        raise of.broken("its attestation is older than what it attests")
    return f"signed by the pipeline on {at:%Y-%m-%d %H:%M}; it says {_PASSED if passed(payload) else _FAILED}"
