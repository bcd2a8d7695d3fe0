"""The whole of Gatewright on one machine, on free ports that are remembered for the next start."""

import fcntl
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from deployments.local.people import People, make_people
from deployments.local.processes import Process, end_leftovers, free_port, port_is_free
from gatewright.core.errors import StoreError
from gatewright.core.records import sha256_hex
from gatewright.services.embedded_store import EmbeddedStore

__all__ = ["LocalStack"]

POOL = "gatewright"
CODE = ("flows", "tasks", "gatewright")
SERVER_SECONDS = 120
START_SECONDS = 60


class LocalStack:
    """Object store, Prefect server behind the gateway, worker and scoring service below one directory.

    Entering starts them in order, leaving ends them in reverse; ``say`` is told what happens, and
    ``before_work`` is called with the stack when all but the worker runs. ``people`` are there from the start on.
    """

    def __init__(
        self,
        state: Path,
        root: Path,
        say: Callable[[str], None],
        *,
        model: str = "crash_triage",
        before_work: Callable[["LocalStack"], None] = lambda stack: None,
    ) -> None:
        self.state = state.resolve()
        self.root = root.resolve()
        self.model = model
        self._say = say
        self._before_work = before_work
        self._running = ExitStack()
        self.people: People
        self._processes: list[Process] = []
        self.environment: dict[str, str] = {}
        self.prefect_url = ""
        self.scoring_url = ""

    def __enter__(self) -> Self:
        self.state.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            undo.callback(self._running.close)
            self._running.enter_context(self._alone())
            end_leftovers(self.state)
            self.people = make_people(self.state, self.root / "policies" / "roster.yaml")
            self._start_all()
            undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._say("stopping")
        self._running.close()

    def _alone(self) -> IO[str]:
        """Hold the directory: a second start would take the servers of the first for leftovers, and end them."""
        lock = (self.state / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StoreError(
                "another start uses this directory.",
                where=str(self.state),
                remedy="use that one, or end it with Ctrl-C; `--state DIR` starts apart from it.",
            ) from None
        return lock

    def check(self) -> None:
        """Raises StoreError, with the end of its log, when one of the processes has ended."""
        for process in self._processes:
            process.check()

    def _start_all(self) -> None:
        ports = self._ports()
        self.prefect_url = f"http://127.0.0.1:{ports['prefect']}"
        self.scoring_url = f"http://127.0.0.1:{ports['scoring']}"
        self._say("object store: SeaweedFS")
        store = EmbeddedStore(self.state / "store", stop_seconds=2)
        self._running.callback(store.stop)
        store.start()
        self.environment = self._environment(store)
        self._say("Prefect server, behind the identity gateway")
        serve_prefect = ("-m", "deployments.gateway", "serve", *_address(ports["prefect"]))
        server = self._start("prefect-server", *serve_prefect, only_here=self._gateway_environment())
        self._say(f"scoring service: {self.scoring_url}")
        serve = ("-m", "gatewright.cli", "serve", self.model, "--port", str(ports["scoring"]))
        scoring = self._start("scoring-service", *serve)
        server.wait_until(lambda: _answers(f"{self.prefect_url}/api/health"), seconds=SERVER_SECONDS)
        self._say(f"Prefect UI: {self.prefect_url}/v2")
        self._register()
        self._before_work(self)
        self._say("worker")
        # No `--limit`: with one, a run that resumes before its first process has gone ends the whole worker.
        self._start("worker", "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process")
        scoring.wait_until(lambda: _answers(f"{self.scoring_url}/health"), seconds=START_SECONDS)

    def _start(self, name: str, *arguments: str, only_here: Mapping[str, str] | None = None) -> Process:
        environment = {**self.environment, **(only_here or {})}
        process = Process(name, [sys.executable, *arguments], environment, self.state, cwd=self.root)
        self._running.callback(process.stop)
        process.start()
        self._processes.append(process)
        return process

    def _register(self) -> None:
        """Create the work pool and register the deployments of ``deployments/prefect.yaml``, when they changed."""
        # Beside Prefect's database: who deletes that registers again.
        file = self.state / "prefect" / "registered"
        wanted = _sources_sha256(self.root)
        if file.exists() and file.read_text() == wanted:
            return
        self._say("deployments: retrain, release, rollback, monitor, sweep, check")
        self._prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
        self._prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(self.root / "deployments/prefect.yaml"))
        file.write_text(wanted)

    def _prefect(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", *arguments],
            env={**os.environ, **self.environment},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            raise StoreError(
                f"`prefect {' '.join(arguments[:3])}` failed: {(done.stdout + done.stderr)[-800:]}",
                where=self.prefect_url,
                remedy=f"see {self.state / 'logs'}.",
            )

    def _environment(self, store: EmbeddedStore) -> dict[str, str]:
        location = store.location("gatewright-records")
        assert location.secret_access_key is not None
        (self.state / "checkpoints").mkdir(exist_ok=True)
        ours = {
            "GATEWRIGHT_ROOT": str(self.root),
            "GATEWRIGHT_CACHE_DIR": str(self.state / "cache"),
            "GATEWRIGHT_ROSTER": str(self.people.roster),
            "GATEWRIGHT_PIPELINE_KEY": str(self.people.pipeline_key),
            "GATEWRIGHT_CHECKPOINTS": str(self.state / "checkpoints"),
            "GATEWRIGHT_STORE_ENDPOINT_URL": str(location.endpoint_url),
            "GATEWRIGHT_STORE_ACCESS_KEY_ID": str(location.access_key_id),
            "GATEWRIGHT_STORE_SECRET_ACCESS_KEY": location.secret_access_key.get_secret_value(),
            "GATEWRIGHT_TARGET_URL": self.scoring_url,
            **self._tokens(),
            "GATEWRIGHT_DOCUMENTS_URL": self.prefect_url,
        }
        everything = {**ours, **self._prefect_environment()}
        self._write_settings(everything)
        return everything

    def _prefect_environment(self) -> dict[str, str]:
        return {
            "PREFECT_HOME": str(self.state / "prefect"),
            "PREFECT_API_URL": f"{self.prefect_url}/api",
            "PREFECT_API_AUTH_STRING": f"service:{self.people.service_secret}",
            "PREFECT_UI_URL": f"{self.prefect_url}/v2",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
            "DO_NOT_TRACK": "1",
        }

    def _gateway_environment(self) -> dict[str, str]:
        """What no other process is told: where the key is that stamps names."""
        return {
            "GATEWRIGHT_GATEWAY_PEOPLE_FILE": str(self.people.people_file),
            "GATEWRIGHT_GATEWAY_KEY_FILE": str(self.people.gateway_key),
            "GATEWRIGHT_GATEWAY_SERVICE_SECRET": self.people.service_secret,
        }

    def _write_settings(self, settings: dict[str, str]) -> None:
        """So that the command line finds store and server too. It holds secrets: only its owner may read it."""
        file = self.state / "settings.env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def _tokens(self) -> dict[str, str]:
        """What callers of the scoring service show: those of the last start, so that they go on being let in."""
        file = self.state / "tokens.json"
        if not file.exists():
            file.touch(mode=0o600)
            names = ("GATEWRIGHT_SCORING_TOKEN", "GATEWRIGHT_LABELS_TOKEN")
            file.write_text(json.dumps({name: secrets.token_urlsafe(32) for name in names}))
        known: dict[str, str] = json.loads(file.read_text())
        return known

    def _ports(self) -> dict[str, int]:
        """The ports of the last start where they are still free, so that links stay good."""
        file = self.state / "ports.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        ports = {}
        for name in ("prefect", "scoring"):
            ports[name] = known[name] if name in known and port_is_free(known[name]) else free_port()
        file.write_text(json.dumps(ports))
        return ports


def _address(port: int) -> tuple[str, ...]:
    return "--host", "127.0.0.1", "--port", str(port)


def _sources_sha256(root: Path) -> str:
    """Of all that a registered deployment is made of: where it is, Prefect's version, and every line of code.

    The schema of a flow's parameters may come from anywhere in the code.
    """
    code = (path for name in CODE for path in sorted((root / name).rglob("*.py")))
    files = (f"{path}\n".encode() + path.read_bytes() for path in (root / "deployments/prefect.yaml", *code))
    return sha256_hex(b"".join([version("prefect").encode(), *files]))


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
