"""How long notes are kept, how many, and what calling a generation off leaves: nothing, and a free place."""

import asyncio
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from card_generation.limits import KEPT_SECONDS
from card_generation.notes import store as stores
from card_generation.notes.store import Note, NoteStore
from tests.conftest import open_client
from tests.fake_openai import FakeOpenAi

pytestmark = pytest.mark.anyio

ANN = {"userID": "ann"}
BOB = {"userID": "bob"}
TEXT = "Osmosis is the movement of water."


def note(number: int, user_id: str = "ann", added_to: str | None = None) -> Note:
    return Note(f"n{number}", user_id, f"d{number}", TEXT, (), "{}", added_to, f"k{number}")


def ask(client: httpx.AsyncClient, key: str, **headers: str) -> "asyncio.Task[httpx.Response]":
    headers = {"idempotency-key": key} | headers
    body = {"text": TEXT, "deck_id": "d"}
    return asyncio.create_task(client.post("/notes", params=ANN, json=body, headers=headers))


async def call_off(client: httpx.AsyncClient, key: str, params: dict[str, str] = ANN) -> Any:
    response = await client.delete("/notes", params=params, headers={"idempotency-key": key})
    assert response.status_code == 200
    return response.json()


def test_old_notes_go(tmp_path: Path) -> None:
    store = NoteStore.open(tmp_path)
    now = time.time()
    store.insert(note(1), now - KEPT_SECONDS - 1)
    store.insert(note(2), now - KEPT_SECONDS + 60)
    store.expire(now)
    assert [one.id for one in store.pending("ann")] == ["n2"]
    assert store.by_key("ann", "k1") is None
    # A new one takes the old ones along, whosever they are.
    store.insert(note(3, "bob"), now + 61)
    assert store.pending("ann") == []
    store.close()


def test_a_user_has_at_most_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MAX_NOTES", 3)
    store = NoteStore.open(tmp_path)
    for number in range(6):
        store.insert(note(number), 1e9)
        store.insert(note(number + 100, "bob"), 1e9)
    for user_id, first in (("ann", 0), ("bob", 100)):
        kept = [one.id for one in store.pending(user_id)]
        assert kept == [f"n{first + 5}", f"n{first + 4}", f"n{first + 3}"]
    store.close()


def test_notes_of_before_are_kept_from_the_upgrade_on(tmp_path: Path) -> None:
    before = sqlite3.connect(tmp_path / "notes.sqlite3")
    before.executescript(f"{stores._SCHEMA} PRAGMA user_version = 1;")
    before.execute(
        "INSERT INTO note (id, user_id, deck_id, text, cards, origin, request_digest)"
        " VALUES ('n1', 'ann', 'd1', 't', '[]', '{}', '')"
    )
    before.commit()
    before.close()
    store = NoteStore.open(tmp_path)
    store.expire(time.time())
    assert [one.id for one in store.pending("ann")] == ["n1"]
    store.expire(time.time() + KEPT_SECONDS + 60)
    assert store.pending("ann") == []
    store.close()


async def test_calling_off_frees_the_place(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.delay_seconds = 30
    fake_openai.answer_cards()
    environment = {"OPENAI_BASE_URL": fake_openai.base_url, "SPACEY_GENERATION_CONCURRENCY": "1"}
    async with open_client(tmp_path, **environment) as client:
        first = ask(client, "k1")
        streamed = ask(client, "k1", accept="application/x-ndjson")
        assert await asyncio.to_thread(fake_openai.arrived.wait, 20)
        second = ask(client, "k2")
        await asyncio.sleep(0.2)
        assert len(fake_openai.requests) == 1, "there is one place"
        fake_openai.delay_seconds = 0
        # Another person's key of the same letters is another one.
        await call_off(client, "k1", BOB)
        assert not first.done()
        assert await call_off(client, "k1") == {"message": "success", "status_code": 200}
        refused = await first
        assert (refused.status_code, refused.json()["error"]) == (409, "called_off")
        line = json.loads((await streamed).text.splitlines()[-1])
        assert (line["type"], line["status"], line["error"]) == ("error", 409, "called_off")
        assert (await asyncio.wait_for(second, 20)).status_code == 200
        listed = (await client.get("/notes", params=ANN)).json()["data"]
        assert listed["d"]["id"] == second.result().json()["data"]["id"]
        # Asked for again it is made anew.
        assert (await ask(client, "k1")).status_code == 200
        assert len(fake_openai.requests) == 3
        page = (await client.get("/metrics")).text
        assert 'outcome="called_off"' in page


async def test_calling_off_forgets_what_was_made(client: httpx.AsyncClient) -> None:
    made = (await ask(client, "k1")).json()["data"]
    await call_off(client, "absent")
    assert (await ask(client, "k1")).json()["data"]["id"] == made["id"]
    await call_off(client, "k1")
    assert (await client.get("/notes", params=ANN)).json()["data"] == {}
    # What became cards stays.
    kept = (await ask(client, "k2")).json()["data"]
    await client.post(f"/notes/{kept['id']}/cards", params=ANN | {"deck_id": "d"})
    await call_off(client, "k2")
    again = await client.post(f"/notes/{kept['id']}/cards", params=ANN | {"deck_id": "d"})
    assert again.status_code == 409
    missing = await client.delete("/notes", params=ANN)
    assert missing.status_code == 422
