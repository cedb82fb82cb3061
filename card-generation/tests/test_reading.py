"""Reading in a process of its own: what is hostile is a typed error, and nothing else is harmed."""

import asyncio
import os
import signal
import time
import zlib
from pathlib import Path

import pytest

from card_generation.content import reading
from card_generation.content.reading import Bounds, Read, ReadError, read
from tests.conftest import open_client
from tests.test_content import ANN, processed
from tests.test_extract import pdf

pytestmark = pytest.mark.anyio


def pdf_with(stream: bytes, filters: str = "", pages: int = 1) -> bytes:
    """Make a PDF whose pages all draw what a stream says; a filter unpacks it."""
    kids = b" ".join(b"%d 0 R" % number for number in range(5, 5 + pages))
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 200] /Contents 3 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
        b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(stream), filters.encode(), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *[page] * pages,
    ]
    body = b"%PDF-1.4\n"
    for number, content in enumerate(objects, 1):
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    return body + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n0\n%%%%EOF\n" % (len(objects) + 1)


SLOW = pdf_with(b"BT /F1 12 Tf " + b"() Tj " * 30_000 + b"ET", pages=500)
"""Each page takes a quarter of a second, within all limits of the library, and says nothing: two minutes."""

BOMB = pdf_with(
    zlib.compress(zlib.compress(bytes(400 * 1024 * 1024), 9), 9), "/Filter [/FlateDecode /FlateDecode]"
)
"""A few hundred bytes that become 400 MiB."""


async def test_what_is_read_comes_back() -> None:
    found = await read(pdf("Osmosis moves water. It is passive.", "Cells"), "application/pdf")
    text = "Osmosis moves water. It is passive."
    assert found == Read("Cells", text, text)


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (pdf("secret", password="word"), "application/pdf", "password"),
        (b"%PDF-1.7 and nothing", "application/pdf", "cannot be read"),
        (b"\x89PNG", "image/png", "neither a page"),
        (b"", "text/plain", "no text"),
    ],
)
async def test_what_cannot_be_read_is_said(body: bytes, kind: str, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        await read(body, kind)


async def test_what_takes_for_ever_is_ended() -> None:
    started = time.monotonic()
    with pytest.raises(ReadError, match="longer than 1 seconds"):
        await read(SLOW, "application/pdf", Bounds(seconds=1.0))
    assert time.monotonic() - started < 20


async def test_what_fills_the_memory_is_ended() -> None:
    # pypdf has a limit of its own for what a stream unpacks to; a page of spaces has none but this.
    page = b"<p>" + b"x " * 9_000_000
    with pytest.raises(ReadError, match="more than 90 MiB of memory"):
        await read(page, "text/html", Bounds(memory_bytes=90 * 1024 * 1024))
    assert (await read(page, "text/html")).title == ""


async def test_a_process_that_is_killed_is_said() -> None:
    work = asyncio.create_task(read(SLOW, "application/pdf"))
    os.kill(await child(), signal.SIGKILL)
    with pytest.raises(ReadError, match="too much time or memory"):
        await work


async def test_nobody_is_left_when_it_is_called_off() -> None:
    work = asyncio.create_task(read(SLOW, "application/pdf"))
    process = await child()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert process not in children()


def children() -> list[int]:
    """List the processes that the test has started, of which nobody has heard the end."""
    return [int(one) for one in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


async def child() -> int:
    """Wait for a process of reading, and answer its id."""
    async with asyncio.timeout(20):
        while not (found := children()):  # noqa: ASYNC110 the kernel tells nobody
            await asyncio.sleep(0.01)
    return found[-1]


async def test_the_service_goes_on_beside_a_hostile_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BOUNDS", Bounds(seconds=6.0))
    async with open_client(tmp_path) as client:

        async def add(file: bytes, user: dict[str, str]) -> str:
            upload = {"file": ("a.pdf", file, "application/pdf")}
            response = await client.post("/content", params=user, files=upload)
            content_id: str = response.json()["data"]["id"]
            return content_id

        hostile = [await add(file, ANN) for file in (SLOW, BOMB)]
        assert (await client.get("/ping")).status_code == 200
        # Another person's is read meanwhile.
        bob = {"userID": "bob"}
        good = await add(pdf("Enzymes speed reactions up."), bob)
        found = await client.get("/content", params=bob | {"ids": good})
        while found.json()["data"][0]["processing_status"] == "processing":
            await asyncio.sleep(0.02)
            found = await client.get("/content", params=bob | {"ids": good})
        assert found.json()["data"][0]["view_text"] == "Enzymes speed reactions up."
        problems = [(await processed(client, one))["problem"] for one in hostile]
        assert problems[0] == "It takes longer than 6 seconds to read."
        assert problems[1] is not None
        note = {"text": "Osmosis is the movement of water.", "deck_id": "d"}
        assert (await client.post("/notes", params=ANN, json=note)).status_code == 200
