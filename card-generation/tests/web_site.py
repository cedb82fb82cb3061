"""A site on loopback that stands for the public internet, and connections that reach it by any name."""

import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import httpcore

from card_generation.content.addresses import PublicBackend, pool
from card_generation.content.fetch import Fetcher

PUBLIC = "93.184.216.34"


class WebSite:
    """Answers by path what it was given: status, headers and body."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []

    def page(self, path: str, body: str, content_type: str = "text/html; charset=utf-8") -> None:
        self.pages[path] = (200, {"content-type": content_type}, body.encode())

    def redirect(self, path: str, to: str) -> None:
        self.pages[path] = (302, {"location": to}, b"")

    def fetcher(self, *lookups: dict[str, list[str]]) -> tuple[Fetcher, "Names", "Local"]:
        """Make a fetcher that looks names up here; the last lookups hold for all that follow."""
        names, local = Names(list(lookups)), Local(self.port)
        return Fetcher(pool(PublicBackend(names.resolve, local))), names, local

    def __enter__(self) -> "WebSite":
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(f"{self.headers['host']}{self.path}")
                status, headers, body = site.pages.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep the output of the tests quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Names:
    """Looks names up in one table after the other; addresses are their own."""

    def __init__(self, tables: list[dict[str, list[str]]]) -> None:
        self._tables = tables

    async def resolve(self, host: str, _port: int) -> list[str]:
        if host.replace(".", "").isdigit() or ":" in host:
            return [host]
        table = self._tables.pop(0) if len(self._tables) > 1 else self._tables[0]
        return table.get(host, [])


class Local(httpcore.AnyIOBackend):
    """Connects to the site whatever the address, which it remembers."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.connected: list[str] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the interface's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        return await super().connect_tcp("127.0.0.1", self._port, timeout)
