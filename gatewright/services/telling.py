"""Put into the outbox what people should know: what the ledger says, what time makes due, what production shows.

The ledger is read again each time, so what a run that died did not tell, the next one tells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from gatewright.core.causes import Standing, happened, responses, watched
from gatewright.core.ledger import LedgerEntry, open_release
from gatewright.core.notices import Notice, cause_of, expiring_waiver, notice_of, production_notice, time_notice
from gatewright.core.releases import Opening
from gatewright.core.responses import MonitoringDecision
from gatewright.core.roster import Roster
from gatewright.services.ledger_store import LedgerStore
from gatewright.services.outbox import Outbox
from gatewright.services.overdue import Overdue
from gatewright.services.releases import Releases

__all__ = ["Telling"]

# What is older is no news: the outbox may be younger than the ledger.
NEWS = timedelta(days=3)
PRODUCTION = "production/monitor"


@dataclass(frozen=True)
class Telling:
    """``link`` gives the address of a release's run, or nothing where there is none."""

    releases: Releases
    ledger: LedgerStore
    outbox: Outbox
    roster: Callable[[], Roster]
    link: Callable[[Opening], str]
    now: Callable[[], datetime]

    def what_happened(self, model: str) -> list[Notice]:
        """All that the ledger says and nobody was told of. Raises StoreError, and what reading a release raises."""
        entries = [entry for entry in self.ledger.entries(model) if entry.at > self.now() - NEWS]
        told: dict[str, Standing | None] = {}
        found = []
        for entry in entries:
            cause, topic = cause_of(entry), _topic(entry.release_id)
            standing = told[topic] if topic in told else told.setdefault(topic, self.outbox.standing(model, topic))
            if cause is not None and (standing is None or cause not in standing.causes):
                found.append(self._happened(model, entry.release_id, cause, self._of(entry)))
        return [notice for notice in found if notice is not None]

    def what_is_due(self, model: str) -> Notice | None:
        """Reminds those who are missing at half of the window, and again near its end."""
        release_id = open_release(self.ledger.entries(model))
        if release_id is None:
            return None
        view = self.releases.view(release_id)
        notice = time_notice(view, self.roster(), self.now(), self.link(view.opening))
        return self._happened(model, release_id, notice.event, partial(_same, notice)) if notice else None

    def what_expires(self, model: str, overdue: Overdue) -> list[Notice]:
        """Waivers under the model that serves that end in some days."""
        told = []
        for found in overdue.expiring_waivers(model):
            view = self.releases.view(found.release_id)
            notice = expiring_waiver(view, found.waiver, self.now(), self.link(view.opening))
            cause = f"waiver_expiring {found.waiver.digest[:16]}"
            told.append(self._happened(model, found.release_id, cause, partial(_same, notice)))
        return [notice for notice in told if notice is not None]

    def what_production_shows(self, model: str, release_id: str, decision: MonitoringDecision) -> Notice | None:
        """What a look at the model of ``release_id`` in production asks for, when that is news."""

        def notice(now: Standing, causes: Sequence[str]) -> Notice | None:
            view = self.releases.view(release_id)
            asked = responses(now, causes)
            return production_notice(view, decision, asked, at=self.now(), link=self.link(view.opening))

        return self.outbox.put(model, PRODUCTION, lambda before: watched(before, release_id, decision), notice)

    def _happened(self, model: str, release_id: str, cause: str, notice: Callable[[], Notice | None]) -> Notice | None:
        return self.outbox.put(
            model,
            _topic(release_id),
            lambda before: happened(before, release_id, cause),
            lambda _, __: notice(),
        )

    def _of(self, entry: LedgerEntry) -> Callable[[], Notice | None]:
        def notice() -> Notice | None:
            view = self.releases.view(entry.release_id)
            return notice_of(entry, view, self.roster(), self.link(view.opening))

        return notice


def _same(notice: Notice) -> Notice:
    return notice


def _topic(release_id: str) -> str:
    return f"release/{release_id}"
