"""Reads an answer that a model is still writing: server-sent events, and whole cards out of half a JSON text.

What is found on the way is a foretaste; the whole text is parsed strictly when it is complete.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from card_generation.errors import UpstreamError

MAX_CARD_LENGTH = 20_000
"""A card that is longer while it is being written is not waited for."""

_START = re.compile(r'"cards"\s*:\s*\[')
_DECODER = json.JSONDecoder()


class _Delta(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Chunk(BaseModel):
    """The part of an event that is read. The last one may hold no choice."""

    choices: list[_Choice] = []


class CardScanner:
    """Finds the items of the list `cards` in a JSON text that comes in pieces."""

    def __init__(self) -> None:
        self._rest = ""
        self._begun = False
        self._over = False

    def feed(self, piece: str) -> Iterator[Any]:
        """Take the next piece; give the items that it completes."""
        if self._over:
            return
        self._rest += piece
        if not self._begun:
            start = _START.search(self._rest)
            if start is None:
                self._over = len(self._rest) > MAX_CARD_LENGTH
                return
            self._rest = self._rest[start.end() :]
            self._begun = True
        # Only a brace completes a card: without a new one there is nothing to try.
        if "}" not in piece:
            self._over = len(self._rest) > MAX_CARD_LENGTH
            return
        while True:
            self._rest = self._rest.lstrip(" \t\r\n,")
            if not self._rest.startswith("{"):
                self._over = self._rest != ""
                return
            try:
                item, end = _DECODER.raw_decode(self._rest)
            except (ValueError, RecursionError):
                self._over = len(self._rest) > MAX_CARD_LENGTH
                return
            self._rest = self._rest[end:]
            yield item


async def read_stream(chunks: AsyncIterator[bytes], take: Callable[[str], None]) -> bytes:
    """Read a streamed completion, hand on what is written, and answer it as if it had come as a whole.

    Raises `UpstreamError` when an event is none, or the stream ends before the answer does.
    """
    content: list[str] = []
    refusal: list[str] = []
    finish: str | None = None
    async for data in _events(chunks):
        if data == "[DONE]":
            break
        try:
            choices = _Chunk.model_validate_json(data).choices
        except ValidationError:
            # The error shows parts of the answer, so it is not chained into the log.
            raise UpstreamError(
                "upstream_unusable", "The model's API streamed something else than a completion."
            ) from None
        for choice in choices[:1]:
            finish = choice.finish_reason or finish
            refusal.append(choice.delta.refusal or "")
            if choice.delta.content:
                content.append(choice.delta.content)
                take(choice.delta.content)
    if finish is None:
        raise UpstreamError("upstream_unreachable", "The model's API broke off.")
    message = {"content": "".join(content), "refusal": "".join(refusal) or None}
    return json.dumps({"choices": [{"message": message, "finish_reason": finish}]}).encode()


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Give the data of each event; comments and other fields are left out."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip().decode("utf-8", "replace")
