"""``gatewright verify``: prove what was released, from the store alone."""

from pathlib import Path
from typing import TYPE_CHECKING

from gatewright.cli.find import find_release
from gatewright.cli.output import Json, print_json, print_table
from gatewright.core.audit import Finding, FindingStatus, overall
from gatewright.core.errors import NotFoundError
from gatewright.services.reports.escape import plain

if TYPE_CHECKING:
    from gatewright.wiring import Services

__all__ = ["verify"]

CODES: dict[FindingStatus, int] = {"ok": 0, "unproven": 1, "broken": 2}
WORDS: dict[FindingStatus, str] = {"ok": "VERIFIED", "unproven": "NOT PROVEN", "broken": "BROKEN"}


def verify(
    subject: str | None = None,
    /,
    *,
    checkpoint: Path | None = None,
    target: bool = False,
    as_json: Json = False,
) -> int:
    """Prove from the store what was released: chains, signatures, policies, decisions, approvals, what serves.

    Exit code 0 when every step holds, 2 when one is broken, 1 when one could not be done.

    Example: gatewright verify crash_triage-2001-1

    Parameters
    ----------
    subject
        A model, or a release id or a model's SHA-256 or the beginning of either; every model when left out.
    checkpoint
        A checkpoint that you kept, with its signature beside it in a file with ``.sig`` behind the name.
    target
        Also ask what serves the model which one it serves.
    """
    from gatewright.wiring import connect

    if checkpoint is not None and not checkpoint.is_file():
        remedy = "name the file of a checkpoint that you kept."
        raise NotFoundError("there is no such checkpoint.", where=str(checkpoint), remedy=remedy)
    findings = _findings(connect(read_only=True), subject, checkpoint, target=target)
    status = overall(findings)
    if as_json:
        print_json({"status": status, "findings": [finding.model_dump(mode="json") for finding in findings]})
    else:
        _print(findings, status)
    return CODES[status]


def _findings(services: "Services", subject: str | None, checkpoint: Path | None, *, target: bool) -> list[Finding]:
    from gatewright.services.audit import AuditedStore, Checkpoints, audit_model, audit_release
    from gatewright.services.targets.scoring_service import ScoringServiceTarget

    settings, models = services.settings, services.ledger.models()
    store = AuditedStore.over(services.records, services.blobs, services.signatures)
    kept = Checkpoints(settings.path(settings.checkpoints) if settings.checkpoints else None, checkpoint)
    if subject is not None and subject not in models:
        found = audit_release(store, find_release(services, subject), settings.channel, kept)
        return [*found, *kept.unused(found)]
    asked = ScoringServiceTarget(settings.target_url) if target else None
    chosen = models if subject is None else [subject]
    if not chosen:
        raise NotFoundError("no release was ever opened.", where="ledger", remedy="see `gatewright releases`.")
    found = [one for model in chosen for one in audit_model(store, model, settings.channel, kept, target=asked)]
    return [*found, *kept.unused(found)]


def _print(findings: list[Finding], status: FindingStatus) -> None:
    proven = sum(finding.status == "ok" for finding in findings)
    print(f"{WORDS[status]}  {proven} of {len(findings)} steps hold\n")
    print_table([_row(finding) for finding in findings], empty="")
    for finding in findings:
        if finding.remedy:
            print(f"\n{finding.check}, {plain(finding.subject)}: {plain(finding.remedy)}")


def _row(finding: Finding) -> dict[str, str]:
    return {
        "step": finding.status.upper(),
        "of": finding.subject,
        "check": finding.check,
        "found": finding.detail,
    }
