"""The embedded store: credentials, ports, crashes, and no process left behind."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event
from urllib.error import HTTPError

import psutil
import pytest

from gatewright.core.errors import StoreError
from gatewright.services import seaweed as seaweed_module
from gatewright.services.embedded_store import EmbeddedStore
from gatewright.services.store import S3Store

OWNER = """
import signal, sys, time
# A shell that started the tests in the background has switched it off for all that follows.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from gatewright.services.embedded_store import EmbeddedStore
from gatewright.services.store import S3Store
embedded = EmbeddedStore(Path(sys.argv[1]), stop_seconds=0)
print("starting", flush=True)
embedded.start()
store = S3Store(embedded.location("bucket"))
store.ensure_bucket()
for n in range(20):
    store.create(f"written/{n}", b"body", "text/plain")
print(embedded.pid, flush=True)
time.sleep(600)
"""


def processes_on(directory: Path) -> list[int]:
    mark = f"-dir={directory.resolve() / 'data'}"
    return [one.pid for one in psutil.process_iter(["cmdline"]) if mark in (one.info["cmdline"] or ())]


def owner_of(directory: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", OWNER, str(directory)], stdout=subprocess.PIPE, text=True)


def test_credentials_are_made_once_and_only_the_owner_may_read_them(seaweed: EmbeddedStore) -> None:
    """Directory, credentials and the server's own configuration of them."""
    for name in ("credentials.json", "s3.json", "ports.json"):
        assert stat.S_IMODE((seaweed.directory / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(seaweed.directory.stat().st_mode) == 0o700
    made = json.loads((seaweed.directory / "credentials.json").read_text())
    assert len(set(made.values())) == len(made) == 6
    assert min(map(len, made.values())) >= 32


def test_no_secret_is_in_the_log_or_on_the_command_line(seaweed: EmbeddedStore) -> None:
    """Both are seen by others."""
    made = json.loads((seaweed.directory / "credentials.json").read_text())
    seen = seaweed.log.read_text() + " ".join(psutil.Process(seaweed.pid).cmdline())
    assert [name for name, secret in made.items() if secret in seen] == []


def test_it_listens_on_loopback_only(seaweed: EmbeddedStore) -> None:
    """On four ports, and on four more for gRPC."""
    listening = [one for one in psutil.Process(seaweed.pid).net_connections() if one.status == psutil.CONN_LISTEN]
    assert {one.laddr.ip for one in listening} == {"127.0.0.1"}
    assert len(listening) == 8


def test_no_port_hands_out_objects_without_credentials(seaweed: EmbeddedStore, s3_store: S3Store) -> None:
    """Neither the gateway nor the servers behind it."""
    s3_store.create("secret", b"body-of-the-secret", "text/plain")
    path = f"{s3_store.location.bucket}/{s3_store.location.prefix}/secret"
    ports = json.loads((seaweed.directory / "ports.json").read_text())
    for port in ports.values():
        for place in (path, f"buckets/{path}"):
            try:
                body = urllib.request.urlopen(f"http://127.0.0.1:{port}/{place}", timeout=5).read()
            except (HTTPError, OSError):
                continue
            assert b"body-of-the-secret" not in body, f"port {port} of {ports}"


def test_a_directory_is_served_by_one_process(seaweed: EmbeddedStore) -> None:
    """A second one would damage the data of the first."""
    with pytest.raises(StoreError, match="another process serves this directory"):
        EmbeddedStore(seaweed.directory).start()
    assert processes_on(seaweed.directory) == [seaweed.pid]


def test_starting_twice_is_starting_once(seaweed: EmbeddedStore) -> None:
    """The process stays the same."""
    before = seaweed.pid
    seaweed.start()
    assert seaweed.pid == before


def test_there_is_no_location_before_the_start(tmp_path: Path) -> None:
    """The port is not known yet."""
    with pytest.raises(StoreError, match="has not been started"):
        EmbeddedStore(tmp_path).location("bucket")


def test_kill_9_loses_no_acknowledged_write_and_the_ports_may_change(tmp_path: Path) -> None:
    """Writers are at work when the process is killed; its port is taken before it starts again."""
    embedded = EmbeddedStore(tmp_path, stop_seconds=0)
    embedded.start()
    try:
        location = embedded.location("bucket").model_copy(update={"patience_seconds": 0.5})
        S3Store(embedded.location("bucket")).ensure_bucket()
        acknowledged: list[str] = []
        killed = Event()

        def write(writer: int) -> None:
            store = S3Store(location)
            for n in count():
                key = f"w{writer}/{n:05}"
                try:
                    store.create(key, key.encode() * 50, "text/plain")
                except StoreError:
                    # On a busy machine a write may take too long; only after the kill is it the last one.
                    if killed.is_set():
                        return
                else:
                    acknowledged.append(key)

        with ThreadPoolExecutor(4) as writers:
            working = [writers.submit(write, writer) for writer in range(4)]
            try:
                while len(acknowledged) < 40:
                    time.sleep(0.01)
            finally:
                assert embedded.pid is not None
                os.kill(embedded.pid, signal.SIGKILL)
                killed.set()
        assert [work.exception() for work in working] == [None] * 4
        embedded.stop()
        assert location.endpoint_url is not None
        with socket.create_server(("127.0.0.1", int(location.endpoint_url.rsplit(":", 1)[1]))):
            embedded.start()
        store = S3Store(embedded.location("bucket"))
        assert store.location.endpoint_url != location.endpoint_url
        assert [key for key in acknowledged if store.get(key) != key.encode() * 50] == []
        assert set(acknowledged) <= set(store.keys(""))
    finally:
        embedded.stop()
    assert processes_on(tmp_path) == []


def test_a_start_after_the_owner_was_killed_takes_over(tmp_path: Path) -> None:
    """The orphaned process is ended, its data, credentials and ports are kept, its sockets removed."""
    with owner_of(tmp_path) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "starting\n"
        orphan = int(owner.stdout.readline())
        owner.kill()
    assert processes_on(tmp_path) == [orphan]
    ports = (tmp_path / "ports.json").read_text()
    with EmbeddedStore(tmp_path, stop_seconds=0) as embedded:
        assert processes_on(tmp_path) == [embedded.pid]
        assert (tmp_path / "ports.json").read_text() == ports
        assert len(list(S3Store(embedded.location("bucket")).keys("written/"))) == 20
    assert processes_on(tmp_path) == []
    left = [port for port in json.loads(ports).values() if list(Path("/tmp").glob(f"seaweedfs-*-{port + 10_000}.sock"))]
    assert left == []


def test_an_interrupt_during_the_start_leaves_no_process(tmp_path: Path) -> None:
    """Ctrl-C while it is waited for: the owner ends, and takes the process with it."""
    with owner_of(tmp_path) as owner:
        deadline = time.monotonic() + 30
        while not processes_on(tmp_path):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        owner.send_signal(signal.SIGINT)
        assert owner.wait(timeout=30) != 0
    assert processes_on(tmp_path) == []


def test_a_server_that_ends_at_its_start_is_shown_with_its_log(tmp_path: Path) -> None:
    """Here a file is where a directory of its own should be."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "filerldb2").write_bytes(b"")
    with pytest.raises(StoreError, match="filerldb2") as caught:
        EmbeddedStore(tmp_path).start()
    assert "ended while it started" in caught.value.problem
    assert caught.value.where == str(tmp_path / "weed.log")
    assert processes_on(tmp_path) == []


def test_a_missing_binary_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes from the environment's own scripts, never from PATH."""
    monkeypatch.setattr(seaweed_module.sysconfig, "get_path", lambda _: str(tmp_path / "bin"))
    with pytest.raises(StoreError, match="not installed") as caught:
        EmbeddedStore(tmp_path / "store").start()
    assert caught.value.where == str(tmp_path / "bin" / "weed")


@pytest.mark.parametrize("name", ["credentials.json", "ports.json"])
def test_a_damaged_file_is_named_and_not_replaced(tmp_path: Path, name: str) -> None:
    """New credentials would hide that the old ones are lost."""
    (tmp_path / name).write_text("{")
    with pytest.raises(StoreError, match="damaged") as caught:
        EmbeddedStore(tmp_path).start()
    assert caught.value.where == str(tmp_path / name)
    assert (tmp_path / name).read_text() == "{"


def test_a_directory_may_be_started_again_after_a_failure(tmp_path: Path) -> None:
    """The lock is given back."""
    (tmp_path / "credentials.json").write_text("{")
    for _ in range(2):
        with pytest.raises(StoreError, match="damaged"):
            EmbeddedStore(tmp_path).start()
