"""Who signs on the command line: told by the key, looked up in the roster in force."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewright.core.errors import ApprovalError
from gatewright.core.records import Record
from gatewright.core.tokens import token_of

if TYPE_CHECKING:
    from gatewright.core.roster import Person
    from gatewright.core.signatures import Signer
    from gatewright.wiring import Services

__all__ = ["DEFAULT_KEY", "Key", "SigningPerson", "signing_person"]

DEFAULT_KEY = Path("~/.ssh/id_ed25519")
Key = Annotated[Path, Parameter(help="Your private SSH key, or the .pub file of one that the ssh-agent holds.")]


@dataclass(frozen=True)
class SigningPerson:
    """A person of the roster and the key that is theirs."""

    person: "Person"
    signer: "Signer"

    def token(self, statement: Record, *, namespace: str) -> str:
        """The statement and its signature in one line. Raises SigningError."""
        body = statement.to_bytes()
        return token_of(body, self.signer.sign(body, namespace=namespace))


def signing_person(services: "Services", key: Path) -> SigningPerson:
    """Raises SigningError for a key that cannot be used, ApprovalError for one that is nobody's."""
    from gatewright.services.ssh_signatures import SshSigner

    signer = SshSigner(key.expanduser())
    roster = services.roster()
    owner = next((p for p in roster.people if any(k.key == signer.public_key for k in p.keys)), None)
    if owner is None:
        raise ApprovalError(
            f"version {roster.version} of the roster has nobody with this key.",
            where=str(key),
            remedy="name your own key with --key, or have its public half added to the roster.",
        )
    return SigningPerson(owner, signer)
