"""Prove from the store alone what was released: chains, seals, checkpoints, and each release that ever served.

An audit begins with fresh objects, which remember nothing, reads each object once, and reports every step, also those
that could not be done. ``store.py`` is what it reads through, ``kept.py`` the checkpoints that were kept elsewhere;
``model.py`` holds the steps about a model as a whole, ``release.py`` those about one release,
``people.py`` those about who let it go on, over what ``records.py`` reads.
"""

from gatewright.core.audit import Finding
from gatewright.services.audit.kept import Checkpoints
from gatewright.services.audit.model import ModelAudit
from gatewright.services.audit.release import ReleaseAudit
from gatewright.services.audit.store import AuditedStore
from gatewright.services.targets.base import Target

__all__ = ["AuditedStore", "Checkpoints", "audit_model", "audit_release"]


def audit_model(
    store: AuditedStore,
    model: str,
    channel: str,
    checkpoints: Checkpoints,
    *,
    target: Target | None = None,
) -> list[Finding]:
    """All steps about a model and about every release of it that was ever confirmed on the channel.

    ``target`` is asked what it serves only where one is given.
    """
    audit = ModelAudit(store, model, channel, checkpoints)
    found = audit.findings()
    for release_id in audit.deployed():
        found += ReleaseAudit(store, release_id, audit).findings()
    return [*found, audit.serving(found, target)]


def audit_release(store: AuditedStore, release_id: str, channel: str, checkpoints: Checkpoints) -> list[Finding]:
    """All steps about one release, deployed or not, and about the chains of its model.

    Raises NotFoundError for an unknown release.
    """
    audit = ModelAudit(store, store.releases.opening(release_id).model, channel, checkpoints)
    return [*audit.findings(), *ReleaseAudit(store, release_id, audit).findings()]
