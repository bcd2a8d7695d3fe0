"""``gatewright export``: a release as plain files that verify offline, without this software."""

import shlex
from pathlib import Path

from gatewright.cli.find import ReleaseName, find_release
from gatewright.cli.output import Json, print_json
from gatewright.services.reports.escape import plain

__all__ = ["export"]


def export(release: ReleaseName, /, *, to: Path, with_blobs: bool = False, as_json: Json = False) -> int:
    """Write a release with all that proves it: `sh verify.sh` there needs only sha256sum and ssh-keygen.

    Example: gatewright export crash_triage-2001-1 --to audit/crash_triage-2001-1

    Parameters
    ----------
    to
        A new directory, or a new file whose name ends in ``.tar``.
    with_blobs
        Also the model, the data and the reports themselves.
    """
    from gatewright.services.audit import AuditedStore
    from gatewright.services.export import collect, write
    from gatewright.wiring import connect

    services = connect(read_only=True)
    settings = services.settings
    bundle = collect(
        AuditedStore.over(services.records, services.blobs, services.signatures),
        find_release(services, release),
        settings.channel,
        checkpoints=settings.path(settings.checkpoints) if settings.checkpoints else None,
        with_blobs=with_blobs,
    )
    written = write(bundle, to)
    if as_json:
        print_json({"release": bundle.release_id, "to": str(to), "files": written})
    else:
        path = shlex.quote(str(to))
        place = f"cd {path}" if to.suffix != ".tar" else f"tar -xf {path} && cd {bundle.release_id}"
        print(f"{bundle.release_id}: {len(written)} files in {plain(to)}\nverify it: {place} && sh verify.sh")
    return 0
