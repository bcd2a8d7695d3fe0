"""Signatures of owners on their way to a quorum: create-only, one object a signature, under ``proposals/``."""

from gatewright.core.errors import ApprovalError, IntegrityError
from gatewright.core.governed import GovernedVersion, prove
from gatewright.core.records import Record, sha256_hex
from gatewright.core.roster import Roster
from gatewright.core.signatures import SignatureVerifier
from gatewright.services.store import ObjectStore, valid_name

__all__ = ["ChangeSignature", "Proposals"]

_ROOT = "proposals"


class ChangeSignature(Record):
    """One token; who signed what is told by the token alone."""

    token: str


class Proposals:
    """Keeps signatures by the document that was signed. What lies there counts only as far as it can be proven."""

    def __init__(self, store: ObjectStore, signatures: SignatureVerifier) -> None:
        self._store = store
        self._signatures = signatures

    def add(self, version: GovernedVersion, principal: str, token: str) -> None:
        """Keep a token. Raises StoreError."""
        body = ChangeSignature(token=token).to_bytes()
        # By its own digest: whoever signs again with a new key must not find the place taken.
        key = f"{self._folder(version)}/{valid_name(principal)}/{sha256_hex(body)}.json"
        self._store.create(key, body, "application/json")

    def proven(self, previous: GovernedVersion | None, version: GovernedVersion, roster: Roster) -> dict[str, str]:
        """Owner -> a token that holds now for putting ``version`` in the place of ``previous``, sorted by owner."""
        found: dict[str, str] = {}
        for key in self._store.keys(f"{self._folder(version)}/"):
            try:
                token = ChangeSignature.from_bytes(self._store.get(key), where=key).token
                found.setdefault(prove(token, previous, version, roster, self._signatures).principal, token)
            except (ApprovalError, IntegrityError):
                continue  # of another time, another key or another hand: it proves nothing
        return dict(sorted(found.items()))

    def _folder(self, version: GovernedVersion) -> str:
        return f"{_ROOT}/{version.kind}/{valid_name(version.name)}/{version.document_sha256}"
