"""The first signed versions: roster and policy are put in force by the owners whom they name."""

from pathlib import Path
from typing import TypeVar

from deployments.local.people import People
from gatewright.core.governed import ROSTER_NAME, DocumentKind
from gatewright.core.policy import Policy
from gatewright.core.roster import Roster
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.ssh_signatures import SshSigner
from gatewright.services.text_files import read_text
from gatewright.wiring import Services

__all__ = ["put_in_force"]

REASON = "The first version, put in force when this machine was set up."

T = TypeVar("T", Policy, Roster)


def put_in_force(services: Services, people: People, model: str) -> None:
    """Sign the roster and the policy of ``model`` with their owners' keys; what is in force already is left alone."""
    roster = _read(people.roster, Roster)
    _sign(services, people, "roster", ROSTER_NAME, roster)
    policy = _read(services.settings.path(services.spec(model).policy), Policy)
    _sign(services, people, "policy", model, policy)


def _sign(services: Services, people: People, kind: DocumentKind, name: str, document: Policy | Roster) -> None:
    if document.changed_by is None or services.governance.in_force(kind, name) is not None:
        return
    for owner in document.changed_by.owners[: document.changed_by.quorum]:
        services.governance.sign(kind, name, document, SshSigner(people.keys[owner]), owner, REASON)


def _read(path: Path, kind: type[T]) -> T:
    return parse_yaml(read_text(path), kind, where=str(path))
