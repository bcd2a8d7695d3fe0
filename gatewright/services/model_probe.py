"""Load a model nobody vouches for, in a process of its own, before this process does.

Reading libraries takes seconds and loading a model milliseconds. So one examiner process (see `model_examiner`) is
started when it is first needed; it reads the libraries once and forks a child under limits for each model.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from gatewright.core.errors import ModelError
from gatewright.core.spec import Task

__all__ = ["ModelProbe", "ProbeLimits", "WarmUp"]

# For the examiner to read its libraries on a busy machine.
START_SECONDS = 120.0


@dataclass(frozen=True)
class ProbeLimits:
    """What loading and one row may take: ``memory_bytes`` beside the libraries, ``seconds`` of CPU and of time."""

    memory_bytes: int = 4 << 30
    seconds: int = 60


@dataclass(frozen=True)
class WarmUp:
    """What makes a row that the model must answer: its features in order, which of them are text, and its task."""

    features: tuple[str, ...]
    categorical: tuple[str, ...]
    task: Task


class ModelProbe:
    """Says whether bytes can be loaded safely. All probes of a process share one examiner."""

    def __init__(self, limits: ProbeLimits = ProbeLimits()) -> None:
        self._limits = limits

    def start(self) -> None:
        """Start the examiner, if none runs, and do not wait for it."""
        _EXAMINER.start()

    def require_loadable(
        self, body: bytes, trusted_types: Sequence[str], *, where: str, warm_up: WarmUp | None = None
    ) -> None:
        """Return when a child process has loaded ``body`` and, with ``warm_up``, it answered a row.

        Raises ModelError that says what the child found, or that it needed more than the limits; ``where`` names
        the model.
        """
        request = {
            "size": len(body),
            "where": where,
            "trusted_types": list(trusted_types),
            "warm_up": None if warm_up is None else asdict(warm_up),
            **asdict(self._limits),
        }
        answer = _EXAMINER.ask(request, body, seconds=self._limits.seconds)
        if answer["problem"] is not None:
            raise ModelError(answer["problem"], where=answer["where"], remedy=answer["remedy"])


class _Examiner:
    """The process that examines, and the pipe to it; one question at a time."""

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def start(self) -> None:
        with self._turn:
            if self._process is None or self._process.poll() is not None or self._owner != os.getpid():
                self._process, self._owner = _launched(), os.getpid()

    def ask(self, request: dict[str, Any], body: bytes, *, seconds: float) -> dict[str, Any]:
        with self._turn:
            # It ends by itself when idle, and may do so in this moment.
            line = self._asked(request, body, seconds) or self._asked(request, body, seconds)
        if line:
            return dict(json.loads(line))
        return {
            "problem": "the process that examines models gave no answer.",
            "where": request["where"],
            "remedy": "look for what ended it: memory of the machine, or the model.",
        }

    def _asked(self, request: dict[str, Any], body: bytes, seconds: float) -> bytes:
        """The answer's line; empty when the examiner ended, or was ended for its silence."""
        self.start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request).encode() + b"\n" + body)
            process.stdin.flush()
            answered = select.select([process.stdout], [], [], START_SECONDS + seconds)[0]
            if answered and (line := process.stdout.readline()):
                return line
        self._end(process)
        return b""

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        self._process = None
        # With its session, so that no child of it goes on.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _launched() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gatewright.services.model_examiner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """Nothing of ours that is secret; one thread, for threads do not survive a fork."""
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "ARROW")}
    return {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), **threads}


_EXAMINER = _Examiner()
