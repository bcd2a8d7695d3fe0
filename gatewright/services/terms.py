"""The terms of a release are those that were in force when it opened: no older ones, and none that came later."""

from gatewright.core.approval import CLOCK_SKEW
from gatewright.core.errors import IntegrityError
from gatewright.core.governed import ROSTER_NAME, DocumentKind
from gatewright.core.releases import Opening
from gatewright.services.governance import Governance

__all__ = ["require_terms_in_force"]


def require_terms_in_force(governance: Governance, opening: Opening) -> None:
    """Raises IntegrityError unless the pinned policy and roster were the versions in force at opening.

    A version that came into force within `CLOCK_SKEW` of the opening may or may not have been seen by it.
    """
    _require(governance, opening, "policy", opening.model, opening.policy.sha256)
    _require(governance, opening, "roster", ROSTER_NAME, opening.roster.sha256)


def _require(governance: Governance, opening: Opening, kind: DocumentKind, name: str, pinned: str) -> None:
    moments = (opening.opened_at - CLOCK_SKEW, opening.opened_at, opening.opened_at + CLOCK_SKEW)
    found = [governance.as_of(kind, name, moment) for moment in moments]
    if pinned not in {version.sha256 for version in found if version}:
        raise IntegrityError(
            f"the {kind} it opened under, {pinned[:12]}, was not in force then.",
            where=f"release {opening.release_id}",
            remedy=f"find out who pinned it; `gatewright {kind} history` lists what was in force, start a new release.",
        )
