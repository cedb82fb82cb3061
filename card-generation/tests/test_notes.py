"""The contract's routes about notes, over HTTP: answers member for member, refusals, isolation."""

from typing import Any

import anyio
import httpx
import pytest

from card_generation.limits import MAX_CARDS, MAX_TEXT_LENGTH
from tests.texts import BIOLOGY, HISTORY

pytestmark = pytest.mark.anyio

ANN = {"userID": "ann"}
BOB = {"userID": "bob"}
CARD = {"question": "Q", "answer": "A", "source_start_index": 0, "source_end_index": 4}


async def create(client: httpx.AsyncClient, deck: str = "deck", text: str = BIOLOGY) -> dict[str, Any]:
    response = await client.post("/notes", params=ANN, json={"text": text, "deck_id": deck})
    assert response.status_code == 200
    data: dict[str, Any] = response.json()["data"]
    return data


async def listed(client: httpx.AsyncClient, user: dict[str, str] = ANN) -> dict[str, Any]:
    response = await client.get("/notes", params=user)
    assert response.status_code == 200
    body = response.json()
    assert body["message"] == "success"
    data: dict[str, Any] = body["data"]
    return data


async def test_ping_is_open(client: httpx.AsyncClient) -> None:
    response = await client.get("/ping", headers={"x-spacey-secret": ""})
    assert (response.status_code, response.json()) == (200, {"ping": "pong!"})


async def test_health(client: httpx.AsyncClient) -> None:
    response = await client.get("/health")
    assert response.json() == {
        "status": "ok",
        "generator": {"name": "offline-extractive", "model": None},
        "keeps_answers": True,
    }


@pytest.mark.parametrize("secret", ["", "wrong", "a-secret-of-the-test", "ä"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/notes"), ("GET", "/nowhere"), ("POST", "/ping")])
async def test_a_wrong_secret_is_refused(
    client: httpx.AsyncClient, method: str, path: str, secret: str
) -> None:
    headers = httpx.Headers({"x-spacey-secret": secret}, encoding="latin-1")
    response = await client.request(method, path, params=ANN, headers=headers)
    assert response.status_code == 401
    assert response.json() == {
        "message": "The header x-spacey-secret is missing or wrong.",
        "error": "unauthorized",
    }


async def test_create_note(client: httpx.AsyncClient) -> None:
    response = await client.post("/notes", params=ANN, json={"text": BIOLOGY, "deck_id": "deck"})
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"message", "data"}
    assert body["message"] == "success"
    data = body["data"]
    assert set(data) == {"id", "text", "cards", "generator", "rejected", "notices"}
    assert data["text"] == BIOLOGY
    assert data["generator"] == {"name": "offline-extractive", "model": None}
    assert data["rejected"] == {"total": 0, "reasons": {}}
    assert data["notices"][0]["code"] == "extractive"
    assert len(data["cards"]) > 5
    for card in data["cards"]:
        assert set(card) == set(CARD)
        assert BIOLOGY[card["source_start_index"] : card["source_end_index"]].strip()


async def test_offsets_are_code_points(client: httpx.AsyncClient) -> None:
    sentence = "Osmosis is the movement of water through a membrane."
    note = await create(client, text="👩‍🔬 e\u0301 光。\n\n" + sentence)
    (card,) = note["cards"]
    assert note["text"][card["source_start_index"] : card["source_end_index"]] == sentence


async def test_most_cards(client: httpx.AsyncClient) -> None:
    body = {"text": BIOLOGY, "deck_id": "deck", "max_cards": 2}
    data = (await client.post("/notes", params=ANN, json=body)).json()["data"]
    assert len(data["cards"]) == 2
    assert data["rejected"]["reasons"]["over_limit"] == data["rejected"]["total"] > 0


async def test_list_holds_the_last_pending_note_of_each_deck(client: httpx.AsyncClient) -> None:
    assert await listed(client) == {}
    await create(client, "one")
    last = await create(client, "one", HISTORY)
    other = await create(client, "two")
    notes = await listed(client)
    assert set(notes) == {"one", "two"}
    assert notes["one"] == {member: last[member] for member in ("id", "text", "cards")}
    await client.post(f"/notes/{other['id']}/cards", params=ANN | {"deck_id": "two"})
    assert set(await listed(client)) == {"one"}


async def test_replace_cards(client: httpx.AsyncClient) -> None:
    note = await create(client)
    response = await client.put(f"/notes/{note['id']}", params=ANN, json={"cards": [CARD]})
    assert (response.status_code, response.json()) == (
        200,
        {"message": "success", "data": {"cards": [CARD], "saved": True}},
    )
    assert (await listed(client))["deck"]["cards"] == [CARD]


async def test_replace_cards_of_an_absent_note_answers_200_and_says_so(client: httpx.AsyncClient) -> None:
    response = await client.put("/notes/absent", params=ANN, json={"cards": [CARD]})
    assert (response.status_code, response.json()) == (
        200,
        {"message": "There is no note 'absent'.", "data": {"cards": [], "saved": False}},
    )


async def test_replace_cards_refuses_a_source_outside_the_text(client: httpx.AsyncClient) -> None:
    note = await create(client)
    card = CARD | {"source_end_index": len(BIOLOGY) + 1}
    response = await client.put(f"/notes/{note['id']}", params=ANN, json={"cards": [CARD, card]})
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "cards", 1, "source_end_index"]
    assert (await listed(client))["deck"]["cards"] == note["cards"]


async def test_add_cards(client: httpx.AsyncClient) -> None:
    note = await create(client)
    path, params = f"/notes/{note['id']}/cards", ANN | {"deck_id": "other"}
    response = await client.post(path, params=params)
    assert response.status_code == 200
    cards = response.json()["data"]["cards"]
    assert [(c["question"], c["answer"]) for c in cards] == [
        (c["question"], c["answer"]) for c in note["cards"]
    ]
    assert {c["deckID"] for c in cards} == {"other"}
    assert len({c["id"] for c in cards}) == len(cards)
    again = await client.post(path, params=params)
    assert (again.status_code, again.json()["error"]) == (409, "already_added")
    for late in (
        await client.put(f"/notes/{note['id']}", params=ANN, json={"cards": []}),
        await client.post(f"/notes/{note['id']}/card", params=ANN, json=selection(BIOLOGY, "Enzymes")),
    ):
        assert (late.status_code, late.json()["error"]) == (409, "already_added")


async def test_add_cards_of_an_absent_note(client: httpx.AsyncClient) -> None:
    response = await client.post("/notes/absent/cards", params=ANN | {"deck_id": "deck"})
    assert (response.status_code, response.json()["error"]) == (404, "note_not_found")


def selection(text: str, part: str) -> dict[str, Any]:
    start = text.index(part)
    return {
        "text": text,
        "deck_id": "deck",
        "source_start_index": start,
        "source_end_index": start + len(part),
    }


async def test_create_card(client: httpx.AsyncClient) -> None:
    note = await create(client)
    body = selection(BIOLOGY, "Enzymes are proteins that speed up chemical reactions")
    response = await client.post(f"/notes/{note['id']}/card", params=ANN, json=body)
    assert response.status_code == 200
    data = response.json()["data"]
    assert set(data) == {"id", "text", "card"}
    assert (data["id"], data["text"]) == (note["id"], BIOLOGY)
    assert data["card"]["question"] == "What are enzymes?"
    assert data["card"]["source_start_index"] == body["source_start_index"]
    assert data["card"]["source_end_index"] == body["source_end_index"]
    assert (await listed(client))["deck"]["cards"] == [*note["cards"], data["card"]]


async def test_create_card_refusals_change_nothing(client: httpx.AsyncClient) -> None:
    note = await create(client)
    path = f"/notes/{note['id']}/card"
    good = selection(BIOLOGY, "Enzymes are proteins")
    refused = [
        (good | {"text": BIOLOGY + "x"}, 409),
        (good | {"deck_id": "other"}, 409),
        (good | {"source_end_index": len(BIOLOGY) + 1}, 422),
        (good | {"source_end_index": good["source_start_index"]}, 422),
        (good | {"source_start_index": -1}, 422),
        (selection(BIOLOGY, "\n\n"), 422),
        (selection(BIOLOGY, "."), 200),
        (selection(BIOLOGY, "#"), 422),
    ]
    for body, status in refused:
        response = await client.post(path, params=ANN, json=body)
        assert response.status_code == status, body
    assert len((await listed(client))["deck"]["cards"]) == len(note["cards"]) + 1
    absent = await client.post("/notes/absent/card", params=ANN, json=good)
    assert absent.status_code == 404


async def test_a_full_note_takes_no_card(client: httpx.AsyncClient) -> None:
    note = await create(client)
    await client.put(f"/notes/{note['id']}", params=ANN, json={"cards": [CARD] * MAX_CARDS})
    response = await client.post(
        f"/notes/{note['id']}/card", params=ANN, json=selection(BIOLOGY, "Enzymes are proteins")
    )
    assert (response.status_code, response.json()["error"]) == (409, "note_full")


async def test_another_users_note_is_absent(client: httpx.AsyncClient) -> None:
    note = await create(client)
    path = f"/notes/{note['id']}"
    assert await listed(client, BOB) == {}
    put = await client.put(path, params=BOB, json={"cards": []})
    assert put.json()["data"] == {"cards": [], "saved": False}
    added = await client.post(f"{path}/cards", params=BOB | {"deck_id": "deck"})
    card = await client.post(f"{path}/card", params=BOB, json=selection(BIOLOGY, "Enzymes"))
    assert (added.status_code, card.status_code) == (404, 404)
    assert (await listed(client))["deck"]["cards"] == note["cards"]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"deck_id": "deck"}, ["body", "text"]),
        ({"text": "", "deck_id": "deck"}, ["body", "text"]),
        ({"text": " \n", "deck_id": "deck"}, ["body", "text"]),
        ({"text": 5, "deck_id": "deck"}, ["body", "text"]),
        ({"text": "a" * (MAX_TEXT_LENGTH + 1), "deck_id": "deck"}, ["body", "text"]),
        ({"text": "a", "deck_id": ""}, ["body", "deck_id"]),
        ({"text": "a", "deck_id": "deck", "max_cards": 101}, ["body", "max_cards"]),
        ({"text": "a", "deck_id": "deck", "max_cards": "5"}, ["body", "max_cards"]),
        ({"text": "a", "deck_id": "deck", "more": 1}, ["body", "more"]),
        ([], ["body"]),
    ],
)
async def test_bad_bodies_are_refused(client: httpx.AsyncClient, body: Any, location: list[str]) -> None:
    response = await client.post("/notes", params=ANN, json=body)
    assert response.status_code == 422
    (fault,) = response.json()["detail"]
    assert fault["loc"] == location
    assert set(fault) == {"loc", "msg", "type"}
    assert await listed(client) == {}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"text": "half', 422),
        (b'{"text": "\\ud800", "deck_id": "deck"}', 422),
        (b'{"\\ud800": 1, "text": "a", "deck_id": "deck"}', 422),
        (b'"\x80"', 400),
        (b"[" * 100_000, 400),
        (b"", 422),
    ],
)
async def test_broken_json_is_refused(client: httpx.AsyncClient, content: bytes, status: int) -> None:
    response = await client.post(
        "/notes", params=ANN, content=content, headers={"content-type": "application/json"}
    )
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert await listed(client) == {}


async def test_the_longest_text_is_taken(client: httpx.AsyncClient) -> None:
    note = await create(client, text="😀" * MAX_TEXT_LENGTH)
    assert note["cards"] == []
    assert [notice["code"] for notice in note["notices"]] == ["extractive", "no_cards"]


async def test_too_long_bodies_are_refused(client: httpx.AsyncClient) -> None:
    async def endless() -> Any:
        for _ in range(10):
            yield b" " * 1_000_000

    for content in (b" " * 10_000_000, endless()):
        response = await client.post(
            "/notes", params=ANN, content=content, headers={"content-type": "application/json"}
        )
        assert (response.status_code, response.json()["error"]) == (413, "body_too_large")


async def test_the_user_must_be_named(client: httpx.AsyncClient) -> None:
    for params in ({}, {"userID": ""}, {"userID": "u" * 129}):
        response = await client.get("/notes", params=params)
        assert response.status_code == 422
        assert response.json()["detail"][0]["loc"] == ["query", "userID"]


async def test_unknown_routes(client: httpx.AsyncClient) -> None:
    absent = await client.post("/nowhere", params=ANN, json={"source": "https://example.org"})
    assert (absent.status_code, absent.json()) == (404, {"message": "Not Found", "error": "route_not_found"})
    wrong = await client.patch("/notes", params=ANN)
    assert (wrong.status_code, wrong.json()["error"]) == (405, "method_not_allowed")


async def test_one_key_makes_one_note(client: httpx.AsyncClient) -> None:
    answers: list[dict[str, Any]] = []

    async def ask() -> None:
        response = await client.post(
            "/notes",
            params=ANN,
            json={"text": BIOLOGY, "deck_id": "deck"},
            headers={"idempotency-key": "key-1"},
        )
        answers.append(response.json())

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(ask)
    await ask()
    assert len(answers) == 21
    assert all(answer == answers[0] for answer in answers)


async def test_a_key_belongs_to_a_user_and_a_request(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "key-1"}
    body = {"text": BIOLOGY, "deck_id": "deck"}
    ann = await client.post("/notes", params=ANN, json=body, headers=headers)
    bob = await client.post("/notes", params=BOB, json=body, headers=headers)
    assert ann.json()["data"]["id"] != bob.json()["data"]["id"]
    other = await client.post("/notes", params=ANN, json=body | {"text": HISTORY}, headers=headers)
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "k" * 201, "two words"])
async def test_bad_keys_are_refused(client: httpx.AsyncClient, key: str) -> None:
    response = await client.post(
        "/notes",
        params=ANN,
        json={"text": BIOLOGY, "deck_id": "deck"},
        headers={"idempotency-key": key},
    )
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["header", "idempotency-key"]
