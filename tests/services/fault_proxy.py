"""A proxy in front of the real store that loses, delays and falsifies replies."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

__all__ = ["Fault", "FaultProxy", "fault_proxy"]

_HOP_HEADERS = {"expect", "connection", "transfer-encoding"}


@dataclass(frozen=True)
class Fault:
    """What the client is told of a request: a status, a broken connection, nothing for a while, or other bytes.

    ``applied``: the store carried the request out all the same.
    """

    answer: int | Literal["reset", "silence", "tampered"]
    applied: bool


@dataclass
class FaultProxy:
    """Where the proxy listens, the faults of the next requests by method or by their number, and what was asked."""

    endpoint_url: str
    upstream: str
    planned: dict[str, list[Fault]] = field(default_factory=dict)
    numbered: dict[int, Fault] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    silence_seconds: float = 3.0

    def plan(self, method: str, *faults: Fault) -> None:
        self.planned.setdefault(method, []).extend(faults)


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A running proxy for ``upstream`` ("host:port")."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    proxy = FaultProxy(f"http://127.0.0.1:{server.server_address[1]}", upstream)
    server.proxy = proxy  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        proxy: FaultProxy = self.server.proxy  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy.asked.append(self.command)
        planned = proxy.planned.get(self.command)
        fault = planned.pop(0) if planned else proxy.numbered.get(len(proxy.asked))
        if fault is None or fault.applied:
            status, headers, reply = self._forward(proxy, body)
        if fault is None:
            self._reply(status, headers, reply)
        elif fault.answer == "tampered":
            self._reply(status, headers, reply[::-1])
        elif isinstance(fault.answer, int):
            self._reply(fault.answer, [], b"")
        else:
            if fault.answer == "silence":
                time.sleep(proxy.silence_seconds)
            self.close_connection = True

    do_PUT = do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 (the names http.server calls)

    def _forward(self, proxy: FaultProxy, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = HTTPConnection(proxy.upstream, timeout=30)
        # The signature covers the Host header, so it must stay as the client wrote it.
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP_HEADERS:
                connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        answer = reply.status, reply.getheaders(), reply.read()
        connection.close()
        return answer

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_HEADERS | {"content-length"}:
                self.send_header(name, value)
        length = dict(headers).get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests have no use for an access log."""
