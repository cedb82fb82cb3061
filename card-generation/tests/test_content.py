"""The contract's routes about contents, over HTTP: pages, DOIs and files become text, for their owner."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from card_generation.content import service as rules
from card_generation.content import store as stores
from card_generation.content.model import Content, SourceType
from card_generation.content.store import ContentStore
from tests.conftest import open_client
from tests.test_extract import pdf
from tests.web_site import PUBLIC, WebSite

pytestmark = pytest.mark.anyio

ANN = {"userID": "ann"}
BOB = {"userID": "bob"}
MARK = {
    "start_path": "/p[1]",
    "start_offset": 0,
    "end_path": "/p[1]",
    "end_offset": 7,
    "color": "#FFEC87",
    "comment": "😀",
    "text": "Osmosis",
}


@pytest.fixture
def site() -> Iterator[WebSite]:
    with WebSite() as site:
        site.page("/page", "<title>Cells</title><p>Osmosis moves water. It is passive.")
        yield site


async def listed(client: httpx.AsyncClient, user: dict[str, str] = ANN, ids: str | None = None) -> list[Any]:
    response = await client.get("/content", params=user if ids is None else user | {"ids": ids})
    assert response.status_code == 200
    data: list[Any] = response.json()["data"]
    return data


async def processed(client: httpx.AsyncClient, content_id: str) -> dict[str, Any]:
    for _ in range(500):
        (content,) = await listed(client, ids=content_id)
        if content["processing_status"] != "processing":
            return dict(content)
        await asyncio.sleep(0.01)
    raise AssertionError("it is not processed")


async def test_a_page_becomes_text(tmp_path: Path, site: WebSite) -> None:
    fetcher, _, _ = site.fetcher({"page.example": [PUBLIC]})
    async with open_client(tmp_path, fetcher) as client:
        body = {"source": "http://page.example/page"}
        added = (await client.post("/content", params=ANN, json=body)).json()
        assert added["message"] == "success"
        assert added["data"]["processing_status"] == "processing"
        content = await processed(client, added["data"]["id"])
        created_at = content.pop("created_at")
        assert created_at.endswith("Z")
        assert content == {
            "id": added["data"]["id"],
            "source_type": "url",
            "processing_status": "processed",
            "title": "Cells",
            "summary": "Osmosis moves water. It is passive.",
            "view_text": "Osmosis moves water. It is passive.",
            "storage_ref": "",
            "source": "http://page.example/page",
            "annotations": [],
            "image": "",
            "read_status": False,
            "problem": None,
        }


async def test_a_doi_is_followed_to_a_pdf(tmp_path: Path, site: WebSite) -> None:
    site.pages["/paper"] = (200, {"content-type": "application/pdf"}, pdf("Osmosis moves water."))
    fetcher, _, _ = site.fetcher({"page.example": [PUBLIC]})
    async with open_client(tmp_path, fetcher) as client:
        # The resolver of DOIs speaks TLS, which the site of the tests does not: that is a failure to be told.
        added = (await client.post("/content", params=ANN, json={"source": "doi:10.1000/x"})).json()["data"]
        assert (added["source_type"], added["source"]) == ("doi", "10.1000/x")
        failed = await processed(client, added["id"])
        assert failed["processing_status"] == "failed"
        body = {"source": "http://page.example/paper"}
        paper = (await client.post("/content", params=ANN, json=body)).json()["data"]
        assert (await processed(client, paper["id"]))["view_text"] == "Osmosis moves water."
        file = await client.get(f"/content/file/{paper['id']}", params=ANN)
        assert file.content == pdf("Osmosis moves water.") or file.content.startswith(b"%PDF-")


async def test_an_address_inside_fails_and_says_so(tmp_path: Path, site: WebSite) -> None:
    fetcher, _, local = site.fetcher({})
    async with open_client(tmp_path, fetcher) as client:
        body = {"source": "http://169.254.169.254/latest/meta-data"}
        added = (await client.post("/content", params=ANN, json=body)).json()["data"]
        content = await processed(client, added["id"])
        assert content["processing_status"] == "failed"
        assert content["problem"] == "The address is not one of the public internet."
    assert local.connected == []


async def test_a_file_becomes_text_and_is_kept(client: httpx.AsyncClient) -> None:
    file = pdf("Enzymes speed reactions up.", "Enzymes")
    upload = {"file": ("enzymes.pdf", file, "application/pdf")}
    added = (await client.post("/content", params=ANN, files=upload)).json()["data"]
    content = await processed(client, added["id"])
    assert (content["title"], content["view_text"]) == ("Enzymes", "Enzymes speed reactions up.")
    assert (content["source_type"], content["source"], content["storage_ref"]) == (
        "pdf",
        "enzymes.pdf",
        added["id"],
    )
    answer = await client.get(f"/content/file/{added['id']}", params=ANN)
    assert (answer.content, answer.headers["content-type"]) == (file, "application/pdf")
    assert (await client.get(f"/content/file/{added['id']}", params=BOB)).status_code == 404
    assert (await client.get("/content/file/absent", params=ANN)).status_code == 404


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"source": "ftp://example.org"}},
        {"json": {"source": ""}},
        {"json": {"sources": "http://example.org"}},
        {"content": b"{"},
        {"files": {"file": ("a.pdf", b"no PDF", "application/pdf")}},
        {"files": {"other": ("a.pdf", b"%PDF-", "application/pdf")}},
        {"content": b"broken", "headers": {"content-type": "multipart/form-data; boundary=x"}},
    ],
)
async def test_what_is_no_source_is_refused(client: httpx.AsyncClient, sent: dict[str, Any]) -> None:
    response = await client.post("/content", params=ANN, **sent)
    assert response.status_code == 400
    assert response.json()["message"]
    assert await listed(client) == []


async def test_marks_and_reading_and_deleting_are_their_owners(client: httpx.AsyncClient) -> None:
    upload = {"file": ("a.pdf", pdf("Text."), "application/pdf")}
    content_id = (await client.post("/content", params=ANN, files=upload)).json()["data"]["id"]
    await processed(client, content_id)
    changes: list[tuple[str, str, dict[str, Any] | None]] = [
        ("PATCH", "", {"read_status": True}),
        ("PUT", "/annotation", {"annotations": [MARK, MARK | {"comment": None}]}),
        ("DELETE", "", None),
    ]
    for method, path, body in changes:
        absent = await client.request(method, f"/content/{content_id}{path}", params=BOB, json=body)
        assert (absent.status_code, absent.json()["status_code"]) == (200, 404), "as the contract has it"
    assert (await listed(client, BOB), len(await listed(client))) == ([], 1)
    for method, path, body in changes[:2]:
        done = await client.request(method, f"/content/{content_id}{path}", params=ANN, json=body)
        assert done.json() == {"message": "success", "status_code": 200}
    (content,) = await listed(client, ids=f"absent,{content_id}")
    assert content["read_status"] is True
    assert content["annotations"] == [MARK, MARK | {"comment": None}]
    wrong = {"annotations": [MARK | {"start_offset": -1}]}
    refused = await client.put(f"/content/{content_id}/annotation", params=ANN, json=wrong)
    assert refused.status_code == 422
    await client.delete(f"/content/{content_id}", params=ANN)
    assert await listed(client) == []
    assert (await client.get(f"/content/file/{content_id}", params=ANN)).status_code == 404


async def test_what_was_under_way_at_a_stop_is_processed_after_the_next_start(tmp_path: Path) -> None:
    store = ContentStore.open(tmp_path)
    content = Content("c1", "ann", SourceType.PDF, "a.pdf", "2026-01-01T00:00:00.000Z")
    assert store.insert(content, pdf("Text of before.")) is None
    store.close()
    async with open_client(tmp_path) as client:
        assert (await processed(client, "c1"))["view_text"] == "Text of before."


async def test_a_user_has_at_most_so_many(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MAX_CONTENTS", 1)
    monkeypatch.setattr(rules, "MAX_CONTENTS", 1)
    upload = {"file": ("a.pdf", pdf("Text."), "application/pdf")}
    assert (await client.post("/content", params=ANN, files=upload)).status_code == 200
    assert (await client.post("/content", params=ANN, files=upload)).status_code == 409
    assert (await client.post("/content", params=BOB, files=upload)).status_code == 200


async def test_of_a_user_at_most_so_many_are_processed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "MAX_PROCESSING", 2)
    upload = {"file": ("a.pdf", pdf("Text."), "application/pdf")}
    added = [await client.post("/content", params=ANN, files=upload) for _ in range(3)]
    assert [response.status_code for response in added] == [200, 200, 409]
    assert added[2].json()["error"] == "too_many_processing"
    assert (await client.post("/content", params=BOB, files=upload)).status_code == 200
    for response in added[:2]:
        await processed(client, response.json()["data"]["id"])
    assert (await client.post("/content", params=ANN, files=upload)).status_code == 200


async def test_too_long_a_file_is_refused(client: httpx.AsyncClient) -> None:
    upload = {"file": ("a.pdf", b"%PDF-" + b"0" * (21 * 1024 * 1024), "application/pdf")}
    assert (await client.post("/content", params=ANN, files=upload)).status_code == 413
