"""The embedded object store: one SeaweedFS process on a directory, on loopback, credentials always required."""

import atexit
import fcntl
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil
from pydantic import SecretStr

from gatewright.core.errors import StoreError
from gatewright.services.seaweed import (
    Ports,
    Secrets,
    choose_ports,
    made_once,
    weed_binary,
    weed_command,
    weed_environment,
)
from gatewright.services.store import S3Location, S3Store

__all__ = ["EmbeddedStore"]

_SENTINEL_BUCKET = "gatewright-ready"
_START_SECONDS = 60.0
_LOG_LINES = 15


class EmbeddedStore:
    """Starts and ends SeaweedFS 4.47 on ``directory``, which keeps its data, credentials, ports and log.

    An acknowledged write survives ``kill -9``, while a graceful end takes about 12 s: ``stop_seconds`` may be
    short, and what has not ended by then is killed.
    """

    def __init__(self, directory: Path, *, stop_seconds: float = 15.0) -> None:
        self.directory = directory.resolve()
        self.log = self.directory / "weed.log"
        self._stop_seconds = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._ports: Ports | None = None
        self._secrets: Secrets | None = None
        self._owner = 0

    @property
    def pid(self) -> int | None:
        """The process id of the ``weed`` that was started, None before and after."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start and wait until a sentinel object can be read (about 4 s).

        Raises StoreError when another process serves the directory, or when SeaweedFS ends or stays silent.
        """
        if self._process is not None:
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _exclusive(self.directory / "lock")
        self._owner = os.getpid()
        atexit.register(self.stop)
        try:
            _end_orphan(self.directory)
            self._secrets = made_once(self.directory)
            self._ports = choose_ports(self.directory)
            self._launch(weed_command(self.directory, self._ports), weed_environment(self.directory, self._secrets))
            self._wait_until_ready()
        except BaseException:
            # Also on Ctrl-C: it does not reach the process, which has a session of its own.
            self._release(seconds=0)
            raise

    def stop(self) -> None:
        """End the process that was started, if it still runs. Another may serve the directory after that."""
        self._release(self._stop_seconds)

    def location(self, bucket: str, prefix: str = "") -> S3Location:
        """Where ``bucket`` is, with the credentials. Raises StoreError before the first start."""
        if self._ports is None or self._secrets is None:
            raise StoreError(
                "the embedded store has not been started.", where=str(self.directory), remedy="start it first."
            )
        return S3Location(
            endpoint_url=f"http://127.0.0.1:{self._ports.s3}",
            bucket=bucket,
            prefix=prefix,
            access_key_id=self._secrets.access_key_id,
            secret_access_key=SecretStr(self._secrets.secret_access_key),
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self, command: list[str], environment: dict[str, str]) -> None:
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        # A Ctrl-C between the fork and the assignment would leave a process that nobody knows.
        unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with self.log.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    cwd=self.directory,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    umask=0o077,
                )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)

    def _wait_until_ready(self) -> None:
        impatient = self.location(_SENTINEL_BUCKET).model_copy(update={"patience_seconds": 2.0})
        store = S3Store(impatient)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            self._refuse_if_ended()
            try:
                store.ensure_bucket()
                store.create("ready", b"ready", "text/plain")
                store.get("ready")
                return
            except StoreError as error:
                if time.monotonic() > deadline:
                    raise self._failure(f"SeaweedFS was not ready within {_START_SECONDS:.0f} s") from error
            time.sleep(0.1)

    def _refuse_if_ended(self) -> None:
        code = self._process.poll() if self._process else None
        if code is not None:
            raise self._failure(f"SeaweedFS ended while it started (exit code {code})")

    def _failure(self, problem: str) -> StoreError:
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return StoreError(
            f"{problem}; its last lines:\n" + "\n".join(lines) + "\n",
            where=str(self.log),
            remedy="read the log; check the free disk space, and that the directory is writable.",
        )

    def _release(self, seconds: float) -> None:
        if self._owner != os.getpid():  # a forked child inherits this object, not the process
            return
        process, self._process = self._process, None
        if process is not None:
            _end(process, seconds)
        if self._ports is not None:
            self._ports.remove_sockets()
        if self._lock is not None:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._lock.close()
            self._lock = None
        atexit.unregister(self.stop)


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
    finally:
        process.kill()
        process.wait()


def _exclusive(path: Path) -> IO[bytes]:
    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreError(
            "another process serves this directory.",
            where=str(path),
            remedy="use the store that runs, or stop the process that started it.",
        ) from error
    return lock


def _end_orphan(directory: Path) -> None:
    """End the process of an owner that was killed: we hold the lock, so nobody can be using it."""
    ours = {str(weed_binary()), f"-dir={directory / 'data'}"}
    for process in psutil.process_iter(["cmdline"]):
        if ours <= set(process.info["cmdline"] or ()):
            with suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait(timeout=10)
