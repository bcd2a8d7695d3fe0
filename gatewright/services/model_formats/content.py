"""Tell the format of a model file by its bytes, never by a name or media type. Nothing is unpacked or parsed here.

Only skops archives and ONNX graphs are let through; all else is refused, and what is known to carry pickles by name.
"""

import io
import pickletools
import zipfile
from itertools import islice
from typing import Literal

from gatewright.services.model_formats.refusals import named, not_a_model, refused

__all__ = ["MAX_UNPACKED_BYTES", "MEDIA_TYPES", "ModelFormat", "format_of", "is_pickle", "read_archive"]

ModelFormat = Literal["skops", "onnx"]
MEDIA_TYPES: dict[ModelFormat, str] = {"skops": "application/x-skops", "onnx": "application/x-onnx"}

# A zip of some kilobytes can unpack to terabytes; no model here comes near this. It is protobuf's own limit too.
MAX_UNPACKED_BYTES = 2 * 1024**3

# Text that reads as so many opcodes is a pickle in all but name, and need not be read to its end.
MOST_OPCODES = 100_000

_SKOPS_INDEX = "schema.json"
_REFUSED = (
    (b"\x1f\x8b", "compressed with gzip, as joblib writes pickles"),
    (b"BZh", "compressed with bzip2, as joblib writes pickles"),
    (b"\xfd7zXZ\x00", "compressed with xz, as joblib writes pickles"),
    (b"\x5d\x00\x00", "compressed with lzma, as joblib writes pickles"),
    (b"\x04\x22\x4d\x18", "compressed with lz4, as joblib writes pickles"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstandard, which hides what it holds"),
    (b"ZF", "compressed by joblib, which holds a pickle"),
    (b"\x93NUMPY", "an array of numpy's, which may hold pickled objects"),
    (b"\x89HDF\r\n\x1a\n", "HDF5, in which Keras keeps code"),
)

# Fields of ONNX's ModelProto (onnx.proto3): the version of the format (1) and the graph (7) must be there.
_ONNX_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
_VERSION, _GRAPH = 1, 7
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def format_of(body: bytes, *, where: str) -> ModelFormat:
    """The format of a model file. Raises ModelError for a pickle in any disguise and whatever is neither format."""
    if not len(body) <= MAX_UNPACKED_BYTES:
        raise not_a_model(f"it is larger than {MAX_UNPACKED_BYTES} bytes", where)
    if body[:4] == b"PK\x03\x04":
        with read_archive(body, where=where) as archive:
            _require_skops(archive, where)
        return "skops"
    disguise = next((what for magic, what in _REFUSED if body.startswith(magic)), None) or _zlib(body)
    if disguise:
        raise refused(f"the model is {disguise}", where)
    if _is_onnx(body):
        return "onnx"
    if is_pickle(body):
        raise refused("the model is a pickle, which runs code when it is loaded", where)
    raise not_a_model("they are neither skops nor ONNX", where)


def read_archive(body: bytes, *, where: str) -> zipfile.ZipFile:
    """A zip, judged by its index alone. Raises ModelError when it is damaged, ambiguous or unpacks to too much."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise not_a_model(named(error), where) from error
    entries = archive.infolist()
    if len({entry.filename for entry in entries}) != len(entries):
        raise not_a_model("the archive holds two members of one name", where)
    if min((entry.header_offset for entry in entries), default=0) != 0:
        raise not_a_model("something stands before the archive", where)
    # Python reads no more of a member than the index says, so this bounds what is unpacked.
    if not sum(entry.file_size for entry in entries) <= MAX_UNPACKED_BYTES:
        raise not_a_model(f"it unpacks to more than {MAX_UNPACKED_BYTES} bytes", where)
    return archive


def is_pickle(body: bytes) -> bool:
    """Whether the bytes read as pickle opcodes up to STOP; nothing of them is run."""
    if body[:1] == b"\x80" and body[1:2] <= b"\x0f":
        return True
    opcodes = 0
    try:
        for opcode, _, _ in islice(pickletools.genops(body), MOST_OPCODES):
            opcodes += 1
            if opcode.name == "STOP":
                return True
    except Exception:  # noqa: BLE001 - genops raises whatever the bytes provoke: then they are no pickle
        return False
    return opcodes == MOST_OPCODES


def _require_skops(archive: zipfile.ZipFile, where: str) -> None:
    names = archive.namelist()
    if any(name.rsplit("/", 1)[-1] == "data.pkl" for name in names):
        raise refused("the model is PyTorch's archive, which holds a pickle; there is no skops `schema.json`", where)
    if _SKOPS_INDEX not in names:
        raise not_a_model("the archive has no skops `schema.json`", where)


def _zlib(body: bytes) -> str | None:
    """RFC 1950: deflate with a 32 kB window, and a check of the first two bytes."""
    if body[:1] == b"\x78" and len(body) > 1 and int.from_bytes(body[:2]) % 31 == 0:
        return "compressed with zlib, as joblib writes pickles"
    return None


def _is_onnx(body: bytes) -> bool:
    """Whether the bytes are a protobuf message of ModelProto's fields, with the two that every model has."""
    at, fields = 0, set()
    while at < len(body):
        tag, at = _varint(body, at)
        field, kind = tag >> 3, tag & 7
        if at < 0 or field not in _ONNX_FIELDS:
            return False
        fields.add((field, kind))
        at = _skipped(body, at, kind)
        if not 0 <= at <= len(body):
            return False
    return {(_VERSION, _VARINT), (_GRAPH, _BYTES)} <= fields


def _skipped(body: bytes, at: int, kind: int) -> int:
    """The position after a field's value; negative where there is none."""
    if kind in (_FIXED64, _FIXED32):
        return at + (8 if kind == _FIXED64 else 4)
    value, after = _varint(body, at)
    if after < 0 or kind not in (_VARINT, _BYTES):
        return -1
    return after + (value if kind == _BYTES else 0)


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """A base-128 number and the position after it; a negative position where there is none."""
    value = 0
    for place in range(10):
        if at + place >= len(body):
            break
        byte = body[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    return 0, -1
