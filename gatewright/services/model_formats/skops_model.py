"""Models as skops: a zip of JSON and arrays, built from an allowlist of types. No pickles, and no fallback to them."""

import io
import math
import zipfile
from collections.abc import Sequence
from typing import Any

from gatewright.core.errors import ModelError
from gatewright.services.model_formats.content import is_pickle, read_archive
from gatewright.services.model_formats.refusals import named, not_a_model, refused

__all__ = ["load_skops", "skops_bytes"]

_NPY = b"\x93NUMPY"


def skops_bytes(model: object) -> bytes:
    """The model as skops. Two dumps of one model are not byte-identical.

    Raises ModelError when skops cannot write a part of it.
    """
    import skops.io

    try:
        return bytes(skops.io.dumps(model))
    except Exception as error:
        raise ModelError(
            f"skops cannot write this model ({named(error)}).",
            where=type(model).__qualname__,
            remedy="build it from estimators and arrays; open files, modules and generators cannot be saved.",
        ) from error


def load_skops(body: bytes, trusted_types: Sequence[str], *, where: str) -> Any:
    """Build the model. Raises ModelError for junk, pickles inside, and types that nobody allowed."""
    import skops.io

    try:
        _require_plain_members(body, where)
        untrusted = set(skops.io.get_untrusted_types(data=body)) - set(trusted_types)
        _require_trusted(untrusted, where)
        return skops.io.loads(body, trusted=list(trusted_types))
    except ModelError:
        raise
    except Exception as error:
        # Damaged archives surface as BadZipFile, KeyError, ValueError and more.
        raise not_a_model(f"skops cannot read it ({named(error)})", where) from error


def _require_trusted(untrusted: set[str], where: str) -> None:
    if untrusted:
        raise ModelError(
            f"the model holds types that nobody has allowed: {', '.join(sorted(untrusted))}.",
            where=where,
            remedy="review what they do when loaded, then add them to `trusted_types` in model.yaml.",
        )


def _require_plain_members(body: bytes, where: str) -> None:
    """skops asks numpy and scipy for no pickles; whether a file has some is looked at before they see it."""
    with read_archive(body, where=where) as archive:
        for entry in archive.infolist():
            if entry.filename != "schema.json":
                _require_plain(archive.read(entry), f"{where}, member {entry.filename!r}")


def _require_plain(member: bytes, where: str) -> None:
    if member.startswith(_NPY):
        _require_numbers(member, where)
    elif zipfile.is_zipfile(io.BytesIO(member)):  # scipy's sparse matrices
        _require_plain_members(member, where)
    elif is_pickle(member):
        raise refused("the model holds a pickle, which runs code when it is loaded", where)


def _require_numbers(member: bytes, where: str) -> None:
    import numpy as np

    file = io.BytesIO(member)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    reader = readers.get(np.lib.format.read_magic(file))
    if reader is None:
        raise not_a_model("an array has an unknown version of numpy's format", where)
    shape, _, dtype = reader(file)
    if dtype.hasobject:
        raise refused("the model holds an array of pickled objects, which run code when they are loaded", where)
    # numpy allocates what the header says before it finds that the file is shorter.
    if not math.prod(shape) * dtype.itemsize <= len(member):
        raise not_a_model(f"an array says that it has the shape {shape}, in {len(member)} bytes", where)
