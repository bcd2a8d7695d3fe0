"""A store in which a roster and a policy are in force, each owned by two of three people."""

from datetime import timedelta

from gatewright.core.governed import DocumentKind, GovernedVersion
from gatewright.core.policy import Policy
from gatewright.core.roster import Roster
from gatewright.services.generations import GenerationLog
from gatewright.services.governance import Governance, Signing
from tests.core.examples import NOW, rule
from tests.core.owners import OWNERS, REASON, owned_policy, owned_roster, person, signer, version_of
from tests.fakes import FakeSignatures, FakeSigner, MemoryStore

BOTH = OWNERS[:2]
MALLORY = "eve.outside"
WEAK = (rule(minimum=0.01),)
HOUR = timedelta(hours=1)


class House:
    """A store with a roster and a policy in force, both owned; each call of ``fresh`` is a new process."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.now = NOW
        self.sign(owned_roster(), *BOTH)
        self.sign(owned_policy(), *BOTH)

    def fresh(self) -> Governance:
        return Governance(self.store, FakeSignatures(), lambda: self.now)

    def sign(self, document: Policy | Roster, *owners: str, key: FakeSigner | None = None) -> Signing:
        kind, name = place(document)
        for owner in owners:
            done = self.fresh().sign(kind, name, document, key or signer(owner), owner, REASON)
        self.now += HOUR
        return done

    def change(self, document: Policy | Roster) -> None:
        assert self.sign(document, *BOTH).in_force is not None

    def plant(self, version: GovernedVersion, kind: DocumentKind = "policy", name: str = "example") -> None:
        """Write a version past all software, as whoever holds the store's keys can."""
        log = GenerationLog(self.store, f"governance/{kind}/{name}")
        log.append(version.model_dump(mode="json"), expected=len(log.all()))

    def policy(self, n: int = -1) -> GovernedVersion:
        return self.fresh().history("policy", "example")[n].entry

    def roster(self) -> Roster:
        found = self.fresh().in_force("roster", "roster")
        assert found is not None
        return found.roster

    def forged(self, document: Policy, signers: dict[str, FakeSigner], **more: object) -> GovernedVersion:
        given = {"roster": self.roster(), "at": self.now, **more}
        return version_of(document, self.policy(), signers, **given)  # type: ignore[arg-type]


def place(document: Policy | Roster) -> tuple[DocumentKind, str]:
    return ("policy", document.model) if isinstance(document, Policy) else ("roster", "roster")


def people(**changes: object) -> Roster:
    """The next roster, in which the first owner is somehow different."""
    changed = (person(OWNERS[0], **changes), *(person(name) for name in (*OWNERS[1:], MALLORY)))  # type: ignore[arg-type]
    return owned_roster(2, people=changed)
