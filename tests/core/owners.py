"""A policy and a roster whose changes two of three owners sign, with fake keys that a test can hold."""

import base64
from collections.abc import Mapping
from datetime import date, datetime

from gatewright.core.change_control import ChangeControl
from gatewright.core.governed import ROSTER_NAME, GovernedVersion, statement_for, unsigned_version
from gatewright.core.policy import Policy
from gatewright.core.roster import Person, PublicKey, Roster
from gatewright.core.signatures import CHANGE
from gatewright.core.tokens import token_of
from tests.core.examples import NOW, policy
from tests.fakes import FakeSigner

BEGAN = date(2024, 1, 1)
REASON = "Agreed in the risk meeting."
OWNERS = ("ada.owner", "ben.owner", "cem.owner")


def key_of(person: str, number: int = 1) -> str:
    return f"ssh-ed25519 {base64.b64encode(f'{person}-{number}'.ljust(33).encode()).decode()}"


def signer(person: str, number: int = 1) -> FakeSigner:
    return FakeSigner(key_of(person, number))


def person(name: str, *, revoked: datetime | None = None, left: date | None = None, keys: int = 1) -> Person:
    mine = tuple(
        PublicKey(key=key_of(name, n + 1), added=BEGAN, revoked=revoked if n == 0 else None) for n in range(keys)
    )
    return Person(id=name, name=name.title(), roles=("risk",), joined=BEGAN, left=left, keys=mine)


def owned_roster(version: int = 1, **changes: object) -> Roster:
    people = tuple(person(name) for name in (*OWNERS, "eve.outside"))
    control = ChangeControl(owners=OWNERS, quorum=2)
    given = {"version": version, "changed_by": control, "people": people}
    return Roster.model_validate({**given, **changes})


def owned_policy(version: int = 1, **changes: object) -> Policy:
    return policy(version=version, **{"changed_by": ChangeControl(owners=OWNERS, quorum=2), **changes})


def version_of(
    document: Policy | Roster,
    previous: GovernedVersion | None = None,
    signers: Mapping[str, FakeSigner] | None = None,
    *,
    roster: Roster | None = None,
    at: datetime = NOW,
    issued: datetime | None = None,
    namespace: str = CHANGE,
    reason: str = REASON,
    **changes: object,
) -> GovernedVersion:
    """A version as its signers would make it; ``signers`` are by the name they sign as. Nothing is checked."""
    kind, name = ("policy", document.model) if isinstance(document, Policy) else ("roster", ROSTER_NAME)
    draft = unsigned_version(kind, name, document, actor="file", at=at)  # type: ignore[arg-type]
    if not signers:
        return draft.model_copy(update=changes)
    tokens = []
    for principal, key in signers.items():
        said = statement_for(previous, draft, principal=principal, reason=reason, issued=issued or at)
        tokens.append(token_of(said.to_bytes(), key.sign(said.to_bytes(), namespace=namespace)))
    witness = roster or (previous.read_roster() if previous and kind == "roster" else document)
    signed = {
        "signatures": tuple(tokens),
        "roster_sha256": witness.digest,
        "assurance": "signed",
        "actor": next(iter(signers)),
    }
    return draft.model_copy(update={**signed, **changes})


def signed_by(*names: str) -> dict[str, FakeSigner]:
    """Each with their own first key."""
    return {name: signer(name) for name in names}
