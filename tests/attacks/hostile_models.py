"""Objects that do harm when they are built, and pickles of them in disguise."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import signal
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import skops.io
from sklearn.linear_model import LogisticRegression


class Exploit:
    """Leaves a canary file behind when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.canary,)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in members.items():
            file.writestr(name, body)
    return buffer.getvalue()


def honest() -> bytes:
    """A small model as skops."""
    return bytes(skops.io.dumps(LogisticRegression().fit([[0.0], [1.0], [2.0]], [0, 1, 1])))


def with_arrays(body: bytes, array: bytes) -> bytes:
    """A skops archive whose arrays are replaced by ``array``."""
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    return archive({name: array if name.endswith(".npy") else member for name, member in members.items()})


def with_a_second(body: bytes, name: str, member: bytes) -> bytes:
    """The archive with one more member of a name that it has."""
    buffer = io.BytesIO(body)
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr(name, member)
    return buffer.getvalue()


def boasting_array() -> bytes:
    """numpy's own file whose header says 50 GB and whose data are 8 bytes."""
    buffer = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(np.ones(1)) | {"shape": (50 << 27,)}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + bytes(8)


def objects(exploit: Exploit) -> bytes:
    """numpy's own file of an array of objects: a pickle with a header."""
    buffer = io.BytesIO()
    np.save(buffer, np.array([exploit], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def _joblib(exploit: Exploit, compress: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(exploit, buffer, compress=compress)
    return buffer.getvalue()


def _member(body: bytes, name: str = ".npy") -> bytes:
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        return file.read(next(one for one in file.namelist() if one.endswith(name)))


def _objects_of(body: bytes) -> Any:
    return np.load(io.BytesIO(body), allow_pickle=True)


# Each with how a careless reader gets at the pickle.
DISGUISES: dict[str, tuple[Callable[[Exploit], bytes], Callable[[bytes], object]]] = {
    **{f"protocol {n}": (lambda e, n=n: pickle.dumps(e, n), pickle.loads) for n in range(pickle.HIGHEST_PROTOCOL + 1)},
    **{
        f"joblib {kind}": (lambda e, kind=kind: _joblib(e, kind), lambda body: joblib.load(io.BytesIO(body)))
        for kind in (0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3))
    },
    "gzip": (lambda e: gzip.compress(pickle.dumps(e)), lambda body: pickle.loads(gzip.decompress(body))),
    "bz2": (lambda e: bz2.compress(pickle.dumps(e)), lambda body: pickle.loads(bz2.decompress(body))),
    "xz": (lambda e: lzma.compress(pickle.dumps(e)), lambda body: pickle.loads(lzma.decompress(body))),
    "zlib": (lambda e: zlib.compress(pickle.dumps(e)), lambda body: pickle.loads(zlib.decompress(body))),
    "numpy's objects": (objects, _objects_of),
    "PyTorch's archive": (
        lambda e: archive({"model/data.pkl": pickle.dumps(e), "schema.json": b"{}"}),
        lambda body: pickle.loads(_member(body, "data.pkl")),
    ),
    "objects in skops": (lambda e: with_arrays(honest(), objects(e)), lambda body: _objects_of(_member(body))),
    "a pickle in skops": (
        lambda e: with_arrays(honest(), pickle.dumps(e)),
        lambda body: pickle.loads(_member(body)),
    ),
    "sparse objects in skops": (
        lambda e: with_arrays(honest(), archive({"data.npy": objects(e)})),
        lambda body: _objects_of(_member(body))["data"],
    ),
    "a pickle before a zip": (lambda e: pickle.dumps(e, 0) + honest(), pickle.loads),
}


class Trap:
    """Does harm when skops builds it, which it does for those who allowed the type."""

    def __init__(self, harm: str, place: str = "") -> None:
        self.harm = harm
        self.place = place

    def __setstate__(self, state: dict[str, str]) -> None:
        self.__dict__ = state
        HARMS[self.harm](self.place)


TRAP = "tests.attacks.hostile_models.Trap"
HARMS: dict[str, Callable[[str], object]] = {
    "touch": lambda place: Path(place).touch(),
    "write": lambda place: Path(place).write_bytes(bytes(10)),
    "allocate": lambda _: np.ones(50 << 27),
    "sleep": lambda _: time.sleep(3600),
    "abort": lambda _: os.abort(),
    "kill the examiner": lambda _: os.kill(os.getppid(), signal.SIGKILL),
    "tell the environment": lambda _: tell(" ".join(os.environ.values())),
}


def tell(text: str) -> None:
    raise RuntimeError(text)
