"""The generator that asks a model, against a fake API: good answers, bad cards, garbage, errors, silence."""

import json
import logging
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tests.conftest import open_client
from tests.fake_openai import FakeOpenAi
from tests.texts import BIOLOGY

pytestmark = pytest.mark.anyio

KEY = "key-that-nobody-may-see"
ANN = {"userID": "ann"}
TEXT = "👩‍🔬 Osmosis moves water.\nEnzymes speed\n  reactions up. Enzymes are “proteins”."
GOOD = {"question": "What does osmosis move?", "answer": "Water", "quote": "Osmosis moves water."}


def environment(fake: FakeOpenAi, **more: str) -> dict[str, str]:
    return {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": KEY, "SPACEY_GENERATION_MODEL": "m1"} | more


async def ask(
    folder: Path, fake: FakeOpenAi, body: dict[str, Any] | None = None, **more: str
) -> httpx.Response:
    """Ask once for a note, and check that a refused one was not stored."""
    async with open_client(folder, **environment(fake, **more)) as client:
        response = await client.post("/notes", params=ANN, json=body or {"text": TEXT, "deck_id": "d"})
        stored = (await client.get("/notes", params=ANN)).json()["data"]
        assert (len(stored) == 1) == (response.status_code == 200)
        return response


async def test_good_cards(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    wrapped = {"question": "What do enzymes do?", "answer": "Speed", "quote": "Enzymes speed reactions up."}
    quoted = {"question": "What are enzymes?", "answer": "Proteins", "quote": 'Enzymes are "proteins".'}
    fake_openai.answer_cards(GOOD, quoted, wrapped)
    data = (await ask(tmp_path, fake_openai)).json()["data"]
    assert data["generator"] == {"name": "openai-compatible", "model": "m1"}
    assert data["rejected"] == {"total": 0, "reasons": {}}
    assert data["notices"] == []
    sources = [TEXT[c["source_start_index"] : c["source_end_index"]] for c in data["cards"]]
    assert sources == ["Osmosis moves water.", "Enzymes speed\n  reactions up.", "Enzymes are “proteins”."]
    assert data["cards"][0] == {
        "question": GOOD["question"],
        "answer": GOOD["answer"],
        "source_start_index": 4,
        "source_end_index": 24,
    }


async def test_what_is_sent(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.answer_cards(GOOD)
    await ask(tmp_path, fake_openai, {"text": TEXT, "deck_id": "d", "max_cards": 7})
    (sent,) = fake_openai.requests
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body["model"] == "m1"
    assert sent.body["response_format"]["type"] == "json_schema"
    assert sent.body["response_format"]["json_schema"]["strict"] is True
    assert [message["role"] for message in sent.body["messages"]] == ["system", "user"]
    assert "at most 7 cards" in sent.body["messages"][0]["content"]
    assert sent.body["messages"][1]["content"] == TEXT


async def test_bad_cards_are_counted(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.answer_cards(
        GOOD,
        GOOD | {"answer": "again"},
        GOOD | {"question": "made up", "quote": "Osmosis moves stones."},
        GOOD | {"question": "  "},
        GOOD | {"question": "long", "answer": "a" * 2001},
        GOOD | {"question": "start", "start": 3},
        GOOD | {"question": 5},
        "a card",
        None,
        GOOD | {"question": "one too many"},
    )
    body = {"text": TEXT, "deck_id": "d", "max_cards": 1}
    data = (await ask(tmp_path, fake_openai, body)).json()["data"]
    assert [card["question"] for card in data["cards"]] == [GOOD["question"]]
    assert data["rejected"] == {
        "total": 9,
        "reasons": {
            "duplicate": 1,
            "empty": 1,
            "over_limit": 1,
            "quote_not_found": 1,
            "too_long": 1,
            "unparsable": 4,
        },
    }
    assert [notice["code"] for notice in data["notices"]] == ["cards_rejected"]


async def test_ten_thousand_cards(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.answer_cards(*(GOOD | {"question": f"Question {n}"} for n in range(10_000)))
    data = (await ask(tmp_path, fake_openai)).json()["data"]
    assert len(data["cards"]) == 100
    assert data["rejected"] == {"total": 9_900, "reasons": {"over_limit": 9_900}}


async def test_no_cards_is_an_answer(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.answer_cards()
    data = (await ask(tmp_path, fake_openai)).json()["data"]
    assert data["cards"] == []
    assert [notice["code"] for notice in data["notices"]] == ["no_cards"]


@pytest.mark.parametrize(
    ("content", "choice", "code"),
    [
        ('{"cards": [{"question": "half', {}, "upstream_unusable"),
        ("Here are your cards!", {}, "upstream_unusable"),
        ('{"flashcards": []}', {}, "upstream_unusable"),
        ('{"cards": {}}', {}, "upstream_unusable"),
        ('{"cards": ["\\ud800"]}', {}, "upstream_unusable"),
        ("[" * 50_000, {}, "upstream_unusable"),
        ('{"cards": [{"question": "a", "answer": "b", "quote": "not there"}]}', {}, "upstream_unusable"),
        ('{"cards": []}', {"finish_reason": "length"}, "upstream_truncated"),
        (None, {"refusal": "I cannot."}, "upstream_refused"),
        (None, {}, "upstream_unusable"),
    ],
)
async def test_unusable_content(
    tmp_path: Path, fake_openai: FakeOpenAi, content: str | None, choice: dict[str, Any], code: str
) -> None:
    fake_openai.answer_content(content, **choice)
    response = await ask(tmp_path, fake_openai)
    assert (response.status_code, response.json()["error"]) == (502, code)
    assert set(response.json()) == {"message", "error"}


@pytest.mark.parametrize(
    "body",
    [b"", b"Internal error", b"<html>", b'{"choices": [', b'{"choices": []}', b'{"choices": 5}', b"\xff"],
)
async def test_unusable_answers(tmp_path: Path, fake_openai: FakeOpenAi, body: bytes) -> None:
    fake_openai.body = body
    response = await ask(tmp_path, fake_openai)
    assert (response.status_code, response.json()["error"]) == (502, "upstream_unusable")


async def test_an_answer_without_end(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.body = b" " * (5 * 1024 * 1024)
    response = await ask(tmp_path, fake_openai)
    assert (response.status_code, response.json()["error"]) == (502, "upstream_unusable")


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [
        (500, 502, "upstream_error"),
        (404, 502, "upstream_error"),
        (302, 502, "upstream_error"),
        (401, 502, "upstream_refused_key"),
        (429, 502, "upstream_rate_limited"),
        (504, 504, "upstream_timeout"),
    ],
)
async def test_upstream_errors_do_not_show_the_key(
    tmp_path: Path,
    fake_openai: FakeOpenAi,
    caplog: pytest.LogCaptureFixture,
    status: int,
    answered: int,
    code: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    fake_openai.status = status
    fake_openai.body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode()
    response = await ask(tmp_path, fake_openai)
    assert (response.status_code, response.json()["error"]) == (answered, code)
    assert KEY not in response.text
    assert KEY not in caplog.text


async def test_slow(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.answer_cards(GOOD)
    fake_openai.delay_seconds = 1.0
    response = await ask(tmp_path, fake_openai, SPACEY_GENERATION_TIMEOUT_SECONDS="0.2")
    assert (response.status_code, response.json()) == (
        504,
        {"message": "The model did not answer within 0.2 seconds.", "error": "upstream_timeout"},
    )


async def test_broken_off(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.answer_cards(GOOD)
    fake_openai.cut_off = True
    response = await ask(tmp_path, fake_openai)
    assert (response.status_code, response.json()["error"]) == (502, "upstream_unreachable")


async def test_nobody_there(tmp_path: Path) -> None:
    with FakeOpenAi() as gone:
        settings = environment(gone)
    async with open_client(tmp_path, **settings) as client:
        response = await client.post("/notes", params=ANN, json={"text": TEXT, "deck_id": "d"})
    assert (response.status_code, response.json()["error"]) == (502, "upstream_unreachable")


async def test_others_are_served_while_a_model_thinks(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.answer_cards(GOOD)
    fake_openai.delay_seconds = 0.5
    async with (
        open_client(tmp_path, **environment(fake_openai)) as client,
        anyio.create_task_group() as group,
    ):
        group.start_soon(lambda: client.post("/notes", params=ANN, json={"text": TEXT, "deck_id": "d"}))
        assert await anyio.to_thread.run_sync(fake_openai.arrived.wait, 5.0)
        with anyio.fail_after(0.4):
            assert (await client.get("/ping")).status_code == 200
            assert (await client.get("/notes", params=ANN)).json()["data"] == {}


async def test_one_key_asks_the_model_once(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    """Also after a restart, and again after a failure, which leaves nothing behind."""
    body, headers = {"text": TEXT, "deck_id": "d"}, {"idempotency-key": "k"}
    answers: list[httpx.Response] = []
    settings = environment(fake_openai)
    async with open_client(tmp_path, **settings) as client:
        fake_openai.status = 500
        failed = await client.post("/notes", params=ANN, json=body, headers=headers)
        assert failed.status_code == 502
        fake_openai.status, fake_openai.delay_seconds = 200, 0.1
        fake_openai.answer_cards(GOOD)

        async def post() -> None:
            answers.append(await client.post("/notes", params=ANN, json=body, headers=headers))

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(post)
    async with open_client(tmp_path, **settings) as client:
        answers.append(await client.post("/notes", params=ANN, json=body, headers=headers))
    assert len(fake_openai.requests) == 2
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


async def test_one_card(tmp_path: Path, fake_openai: FakeOpenAi) -> None:
    fake_openai.answer_cards()
    async with open_client(tmp_path, **environment(fake_openai)) as client:
        note = (await client.post("/notes", params=ANN, json={"text": BIOLOGY, "deck_id": "d"})).json()[
            "data"
        ]
        part = "Enzymes are proteins"
        start = BIOLOGY.index(part)
        body = {
            "text": BIOLOGY,
            "deck_id": "d",
            "source_start_index": start,
            "source_end_index": start + len(part),
        }
        fake_openai.answer_cards({"question": "What are enzymes?", "answer": "Proteins", "quote": part})
        response = await client.post(f"/notes/{note['id']}/card", params=ANN, json=body)
    assert response.json()["data"]["card"] == {
        "question": "What are enzymes?",
        "answer": "Proteins",
        "source_start_index": start,
        "source_end_index": start + len(part),
    }
    assert fake_openai.requests[-1].body["messages"][2] == {"role": "user", "content": part}
