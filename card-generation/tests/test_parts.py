"""Answers in parts: cards as soon as they are made, the whole at the end, and when nobody waits any more."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from card_generation.errors import UpstreamError
from card_generation.generation.model import (
    Draft,
    Generation,
    GenerationRequest,
    GeneratorInfo,
    Report,
    Span,
)
from card_generation.notes.service import NoteService
from card_generation.notes.store import NoteStore
from card_generation.web import notes as routes
from tests.conftest import open_client
from tests.fake_openai import FakeOpenAi
from tests.texts import BIOLOGY

pytestmark = pytest.mark.anyio

ANN = {"userID": "ann"}
PARTS = {"accept": "application/x-ndjson, application/json;q=0.9"}
TEXT = "👩‍🔬 Osmosis moves water.\nEnzymes speed reactions up."
OSMOSIS = {"question": "What moves?", "answer": "Water", "quote": "Osmosis moves water."}
ENZYMES = {"question": "What do they do?", "answer": "Speed", "quote": "Enzymes speed reactions up."}


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/x-ndjson")
    assert response.text.endswith("\n")
    return [json.loads(line) for line in response.text.split("\n")[:-1]]


async def ask(client: httpx.AsyncClient, text: str = BIOLOGY, key: str | None = None) -> list[dict[str, Any]]:
    headers = PARTS if key is None else PARTS | {"idempotency-key": key}
    body = {"text": text, "deck_id": "d"}
    return lines(await client.post("/notes", params=ANN, headers=headers, json=body))


async def test_the_parts_are_the_whole(client: httpx.AsyncClient) -> None:
    parts = await ask(client, key="k")
    assert [part["type"] for part in parts[:-1]] == ["card"] * (len(parts) - 1)
    assert [part["card"] for part in parts[:-1]] == parts[-1]["data"]["cards"]
    whole = await client.post(
        "/notes", params=ANN, headers={"idempotency-key": "k"}, json={"text": BIOLOGY, "deck_id": "d"}
    )
    assert whole.json()["data"] == parts[-1]["data"]
    (again,) = await ask(client, key="k")
    assert again == parts[-1], "what is there already needs no foretaste"


async def test_who_does_not_ask_for_parts_gets_none(client: httpx.AsyncClient) -> None:
    for accept in ["*/*", "application/json", "application/x-ndjsonx"]:
        response = await client.post(
            "/notes", params=ANN, headers={"accept": accept}, json={"text": BIOLOGY, "deck_id": "d"}
        )
        assert response.headers["content-type"] == "application/json"


async def test_an_error_is_the_last_line(client: httpx.AsyncClient) -> None:
    await ask(client, key="k")
    (error,) = await ask(client, "Another text is another request.", key="k")
    assert (error["type"], error["status"], error["error"]) == ("error", 409, "idempotency_key_reused")
    invalid = await client.post("/notes", params=ANN, headers=PARTS, json={"text": "", "deck_id": "d"})
    assert invalid.status_code == 422


async def test_a_model_is_read_while_it_writes(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    content = json.dumps({"cards": [OSMOSIS, {"question": "?"}, ENZYMES]}, ensure_ascii=False)
    fake_openai.stream_content(content[:3], content[3:60], content[60:100], content[100:])
    async with open_client(tmp_path, OPENAI_BASE_URL=fake_openai.base_url) as client:
        first, second, done = await ask(client, TEXT)
        sources = [
            TEXT[card["source_start_index"] : card["source_end_index"]]
            for card in (first["card"], second["card"])
        ]
        assert sources == [OSMOSIS["quote"], ENZYMES["quote"]]
        assert done["data"]["cards"] == [first["card"], second["card"]]
        assert done["data"]["rejected"] == {"total": 1, "reasons": {"unparsable": 1}}
    assert fake_openai.requests[0].body["stream"] is True


@pytest.mark.parametrize(
    ("pieces", "finish", "code"),
    [
        (['{"cards": [' + json.dumps(OSMOSIS)], None, "upstream_unreachable"),
        (['{"cards": [' + json.dumps(OSMOSIS)], "length", "upstream_truncated"),
        (['{"cards": [' + json.dumps(OSMOSIS)], "stop", "upstream_unusable"),
        (["no JSON"], "stop", "upstream_unusable"),
    ],
)
async def test_a_stream_that_is_not_whole_is_no_answer(
    tmp_path: Path, fake_openai: FakeOpenAi, pieces: list[str], finish: str | None, code: str
) -> None:
    fake_openai.stream_content(*pieces, finish_reason=finish)
    async with open_client(tmp_path, OPENAI_BASE_URL=fake_openai.base_url) as client:
        parts = await ask(client, TEXT)
        assert (parts[-1]["type"], parts[-1]["status"], parts[-1]["error"]) == ("error", 502, code)
        assert (await client.get("/notes", params=ANN)).json()["data"] == {}


async def test_an_api_that_streams_nothing_is_read_as_a_whole(
    tmp_path: Path, fake_openai: FakeOpenAi
) -> None:
    fake_openai.answer_cards(OSMOSIS)
    async with open_client(tmp_path, OPENAI_BASE_URL=fake_openai.base_url) as client:
        (done,) = await ask(client, TEXT)
        assert len(done["data"]["cards"]) == 1


async def test_instructions_reach_the_model_after_the_rules(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.answer_cards(OSMOSIS)
    body = {"text": TEXT, "deck_id": "d", "instructions": "In German, {max_cards}!"}
    async with open_client(tmp_path, OPENAI_BASE_URL=fake_openai.base_url) as client:
        assert (await client.post("/notes", params=ANN, json=body)).status_code == 200
    system = fake_openai.requests[0].body["messages"][0]["content"]
    assert system.endswith("The learner wishes, as far as the rules above allow:\nIn German, {max_cards}!")


async def test_offline_instructions_are_not_understood_and_that_is_said(client: httpx.AsyncClient) -> None:
    body = {"text": BIOLOGY, "deck_id": "d", "instructions": "In German."}
    data = (await client.post("/notes", params=ANN, json=body)).json()["data"]
    assert "instructions_ignored" in [notice["code"] for notice in data["notices"]]


class Slow:
    """A generator that makes a card when it is told to."""

    info = GeneratorInfo("slow", None)

    def __init__(self) -> None:
        self.calls = 0
        self.go = asyncio.Event()
        self.fails = False

    async def generate(self, request: GenerationRequest, report: Report | None = None) -> Generation:
        self.calls += 1
        draft = Draft("Q", "A", Span(0, 1))
        if report is not None:
            report(draft)
        await self.go.wait()
        if self.fails:
            raise UpstreamError("upstream_error", "It broke.")
        return Generation(self.info, [draft])

    async def close(self) -> None:
        """Nothing is held open."""


async def test_cards_come_before_the_rest_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "WAIT_SECONDS", 0.02)
    slow, store = Slow(), NoteStore.open(tmp_path)
    parts = routes.in_parts(NoteService(store, slow, 1), "ann", "d", GenerationRequest("a b", 5), "k")
    assert json.loads(await anext(parts))["card"]["question"] == "Q"
    assert json.loads(await anext(parts)) == {"type": "wait"}
    slow.go.set()
    rest = [json.loads(part)["type"] async for part in parts]
    assert rest[-1] == "done"
    store.close()


@pytest.mark.parametrize("fails", [False, True])
async def test_what_nobody_waits_for_is_made_all_the_same(tmp_path: Path, fails: bool) -> None:
    slow, store = Slow(), NoteStore.open(tmp_path)
    slow.fails = fails
    service = NoteService(store, slow, 1)
    request = GenerationRequest("a b", 5)
    first = asyncio.create_task(service.create("ann", "d", request, "k"))
    await asyncio.sleep(0.05)
    first.cancel()
    # The same request comes again while the first is at work, as after a crash of who asked.
    again = asyncio.create_task(service.create("ann", "d", request, "k"))
    await asyncio.sleep(0.05)
    slow.go.set()
    if fails:
        with pytest.raises(UpstreamError):
            await again
        assert slow.calls == 2
    else:
        assert (await again).cards[0].question == "Q"
        assert slow.calls == 1
    assert first.cancelled()
    store.close()
