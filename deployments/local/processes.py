"""Start servers as child processes and end them by their pid, also those a killed parent left behind."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from gatewright.core.errors import StoreError

__all__ = ["Process", "end_leftovers", "free_port", "port_is_free"]

STOP_SECONDS = 15


class Process:
    """One server. It runs in its own session, so that Ctrl-C reaches only the parent, which ends it in order."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], state: Path, *, cwd: Path) -> None:
        self.name = name
        self._command = list(command)
        self._env = {**os.environ, **env}
        self._cwd = cwd
        self._log = state / "logs" / f"{name}.log"
        self._pid_file = state / "pids" / f"{name}.json"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start without waiting; the output goes to a log file of its own."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                env=self._env,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started = psutil.Process(self._child.pid).create_time()
        self._pid_file.write_text(json.dumps({"pid": self._child.pid, "started": started}))

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait for readiness. Raises StoreError with the end of the log when it dies or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise self._problem(f"is not ready after {seconds:.0f} s")
            time.sleep(0.2)

    def check(self) -> None:
        """Raises StoreError, with the end of the log, when it has ended."""
        if self._child is None or self._child.poll() is not None:
            raise self._problem("has ended")

    def stop(self) -> None:
        """End the whole session of the process, gently first."""
        if self._child is not None:
            end_group(self._child.pid)
            self._child.wait()
            self._child = None
        self._pid_file.unlink(missing_ok=True)

    def _problem(self, what: str) -> StoreError:
        return StoreError(
            f"{self.name} {what}: {self._tail()}",
            where=str(self._log),
            remedy="read the log; free the port or the disk, and start again.",
        )

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return " | ".join(line for line in lines[-5:] if line.strip())[-500:]


def end_group(pid: int) -> None:
    """TERM, then KILL, all processes of the session that ``pid`` leads."""
    members = [p for p in psutil.process_iter() if _session(p.pid) == pid]
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for process in members:
            try:
                process.send_signal(sign)
            except psutil.NoSuchProcess:
                continue
        _, members = psutil.wait_procs(members, timeout=STOP_SECONDS)
        if not members:
            return


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def end_leftovers(state: Path) -> None:
    """End what an earlier, killed parent left running. A pid that was reused since is left alone."""
    for file in sorted((state / "pids").glob("*.json")):
        known = json.loads(file.read_text())
        try:
            same = psutil.Process(known["pid"]).create_time() == known["started"]
        except psutil.NoSuchProcess:
            same = False
        if same:
            end_group(known["pid"])
        file.unlink(missing_ok=True)


def free_port() -> int:
    """A port on loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
