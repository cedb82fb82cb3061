"""A server on loopback that speaks the part of the chat completions API that the service uses.

A test sets what it answers: cards, or raw bytes with a status, after a delay; to who wants a stream, in
pieces. It records requests.
"""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass
class Recorded:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class FakeOpenAi:
    status: int = 200
    body: bytes = b"{}"
    delay_seconds: float = 0.0
    cut_off: bool = False
    events: list[bytes] | None = None
    requests: list[Recorded] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    def answer_content(self, content: str | None, **choice: Any) -> None:
        message = {"role": "assistant", "content": content, "refusal": choice.pop("refusal", None)}
        completion = {"id": "c1", "object": "chat.completion", "choices": [{"message": message, **choice}]}
        self.body = json.dumps(completion).encode()

    def answer_cards(self, *cards: Any) -> None:
        self.answer_content(json.dumps({"cards": list(cards)}), finish_reason="stop")

    def stream_content(self, *pieces: str, finish_reason: str | None = "stop") -> None:
        """Stream what the model writes piece by piece, cut off when there is no reason to finish."""
        chunks: list[dict[str, Any]] = [{"choices": [{"delta": {"content": piece}}]} for piece in pieces]
        if finish_reason is not None:
            chunks.append({"choices": [{"delta": {}, "finish_reason": finish_reason}]})
            chunks.append({"choices": [], "usage": {"total_tokens": 1}})
        events = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
        self.events = [b": a comment\r\n\r\n", *events]
        if finish_reason is not None:
            self.events.append(b"data: [DONE]\n\n")

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> "FakeOpenAi":
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                fake.requests.append(Recorded(self.path, headers, json.loads(sent)))
                fake.arrived.set()
                time.sleep(fake.delay_seconds)
                if fake.events is not None and fake.requests[-1].body.get("stream"):
                    self.send_response(200)
                    self.send_header("content-type", "text/event-stream; charset=utf-8")
                    self.end_headers()
                    for event in fake.events:
                        self.wfile.write(event)
                    return
                try:
                    self.send_response(fake.status)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(fake.body) + (100 if fake.cut_off else 0)))
                    self.end_headers()
                    self.wfile.write(fake.body)
                except OSError:
                    pass  # the service gave up waiting, which is what some tests are about

            def log_message(self, *_: Any) -> None:
                """Keep the output of the tests quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
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
