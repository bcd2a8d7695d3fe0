"""Put a bundle into a directory, or into a tar file that is the same for the same bundle."""

import io
import tarfile
from pathlib import Path

from gatewright.core.errors import SpecError
from gatewright.core.records import sha256_hex
from gatewright.services.export.bundle import Bundle
from gatewright.services.export.pages import verify_page, verify_script
from gatewright.services.export.steps import steps_of

__all__ = ["write"]

_SUMS = "SHA256SUMS"


def write(bundle: Bundle, to: Path) -> list[str]:
    """Write the bundle with its pages and its list of digests; the paths in it.

    ``to`` is a new or empty directory, or a tar file to be made when its name ends in ``.tar``. Raises SpecError when
    something is there already, or it cannot be written.
    """
    files = complete(bundle)
    try:
        if to.suffix == ".tar":
            _write_tar(files, to, bundle.release_id)
        else:
            _write_directory(files, to)
    except OSError as error:
        raise SpecError(
            f"the bundle cannot be written: {error.strerror or error}.",
            where=str(to),
            remedy="name a new directory, or a new file that ends in .tar.",
        ) from error
    return sorted(files)


def complete(bundle: Bundle) -> dict[str, bytes]:
    """The files of a bundle with ``VERIFY.md``, ``verify.sh`` and ``SHA256SUMS``."""
    steps = steps_of(bundle)
    pages = {"VERIFY.md": verify_page(bundle, steps), "verify.sh": verify_script(bundle, steps)}
    files = bundle.files | {path: text.encode() for path, text in pages.items()}
    sums = "".join(f"{sha256_hex(body)}  {path}\n" for path, body in sorted(files.items()))
    return files | {_SUMS: sums.encode()}


def _write_directory(files: dict[str, bytes], to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    if any(to.iterdir()):
        raise FileExistsError(0, "the directory is not empty")
    for path, body in files.items():
        place = to / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)


def _write_tar(files: dict[str, bytes], to: Path, folder: str) -> None:
    with to.open("xb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, body in sorted(files.items()):
            # Without owner and time: the same bundle is the same file.
            entry = tarfile.TarInfo(f"{folder}/{path}")
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
