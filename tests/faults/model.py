"""What may serve, said a second time and simply: people, keys, windows and quorums as plain sets and numbers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["Asked", "Human", "Model"]


@dataclass
class Human:
    """A person as the roster of some moment lists them."""

    manager: bool = True
    there: bool = True
    key_good: bool = True

    def copy(self) -> "Human":
        return Human(self.manager, self.there, self.key_good)

    @property
    def counts(self) -> bool:
        return self.manager and self.there and self.key_good


@dataclass
class Asked:
    """The release that is open: what was pinned when it opened, and who has approved since."""

    name: str
    digest: str
    author: str
    needed: int
    until: datetime
    people: dict[str, Human]
    approvers: set[str] = field(default_factory=set)
    # A run of it was cut off, or the channel moved meanwhile: it may end either way.
    disturbed: bool = False


@dataclass
class Model:
    """Everything that is known outside of the software under test."""

    people: dict[str, Human]
    needed: int = 2
    hours: float = 72
    asked: Asked | None = None
    # Digests that a valid quorum stood behind when somebody promoted them.
    allowed: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)

    def submit(self, name: str, digest: str, author: str, at: datetime) -> None:
        people = {who: person.copy() for who, person in self.people.items()}
        self.asked = Asked(name, digest, author, self.needed, at + timedelta(hours=self.hours), people)

    def may_answer(self, who: str, at: datetime) -> bool:
        """By the roster pinned and the one in force; not the author, not twice, not too late."""
        assert self.asked is not None
        return self._counts(who, at) and who not in self.asked.approvers

    def may_promote(self, at: datetime) -> bool:
        """Enough people have approved, and each of them could still do so now."""
        if self.asked is None or len(self.asked.approvers) < self.asked.needed:
            return False
        return all(self._counts(who, at) for who in self.asked.approvers)

    def may_roll_back(self, who: str) -> bool:
        """Roles and presence count; nothing is signed."""
        return self.people[who].manager and self.people[who].there

    def overdue(self, at: datetime) -> bool:
        """A window that is over ends a release that is not approved."""
        return self.asked is not None and at > self.asked.until and len(self.asked.approvers) < self.asked.needed

    def promote(self, at: datetime) -> bool:
        """Somebody tries; from now on the candidate may serve if it may."""
        assert self.asked is not None
        valid = self.may_promote(at)
        if valid:
            self.allowed.add(self.asked.digest)
        return valid

    def end(self, state: str) -> None:
        assert self.asked is not None
        self.states[self.asked.name] = state
        self.asked = None

    def _counts(self, who: str, at: datetime) -> bool:
        assert self.asked is not None
        pinned, now = self.asked.people[who], self.people[who]
        # A key that was revoked is bad from then on, also by a roster that does not know it yet: the newer one does.
        return at <= self.asked.until and who != self.asked.author and pinned.counts and now.counts
