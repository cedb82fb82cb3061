"""Forgetting a user: all of theirs goes, and nothing of others."""

import httpx
import pytest

from tests.test_content import ANN, BOB, listed
from tests.test_extract import pdf

pytestmark = pytest.mark.anyio


async def test_all_of_a_user_and_nothing_of_others_is_deleted(client: httpx.AsyncClient) -> None:
    note = {"text": "Osmosis is the movement of water.", "deck_id": "d"}
    files = []
    for user in (ANN, BOB):
        assert (await client.post("/notes", params=user, json=note)).status_code == 200
        upload = {"file": ("a.pdf", pdf("Text."), "application/pdf")}
        files.append((await client.post("/content", params=user, files=upload)).json()["data"]["id"])
    for _ in range(2):
        forgotten = await client.delete("/user", params=ANN)
        assert (forgotten.status_code, forgotten.json()["status_code"]) == (200, 200)
    assert (await listed(client, ANN), len(await listed(client, BOB))) == ([], 1)
    assert (await client.get("/notes", params=ANN)).json()["data"] == {}
    assert list((await client.get("/notes", params=BOB)).json()["data"]) == ["d"]
    for user, file, status in ((ANN, files[0], 404), (BOB, files[1], 200)):
        assert (await client.get(f"/content/file/{file}", params=user)).status_code == status


async def test_who_is_to_be_forgotten_must_be_named(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/user")).status_code == 422
