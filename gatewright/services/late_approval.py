"""Record an approval of a release that serves already by a break-glass: no run waits for it any more."""

from gatewright.core.releases import Opening
from gatewright.core.statements import Approval
from gatewright.services.release_records import AnswerRecord
from gatewright.services.releases import Releases

__all__ = ["record_late"]


def record_late(releases: Releases, opening: Opening, approval: Approval) -> AnswerRecord:
    """Record an approval that was accepted after the next answer that nobody has given, and in the ledger."""
    wanted = AnswerRecord(approval=approval, refusal=None)
    while True:
        number = len(releases.answers(opening.release_id)) + 1
        # Of two who write the same number the first one's stands, and the second one gets it back.
        if releases.record(f"answer-{number}", opening, wanted) == wanted:
            releases.note_approval(opening, approval)
            return wanted
