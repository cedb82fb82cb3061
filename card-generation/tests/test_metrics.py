"""What is counted, and that it names nobody."""

import httpx
import pytest

from tests.texts import BIOLOGY

pytestmark = pytest.mark.anyio


async def test_generations_are_counted(client: httpx.AsyncClient) -> None:
    body = {"text": BIOLOGY, "deck_id": "deck", "max_cards": 2}
    await client.post("/notes", params={"userID": "somebody"}, json=body)
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    counted = response.text
    for line in [
        'card_generation_at_work{generator="offline-extractive"} 0.0',
        'card_generation_seconds_count{generator="offline-extractive",outcome="ok"}',
        'card_generation_cards_total{generator="offline-extractive"}',
        'card_generation_rejected_total{generator="offline-extractive",reason="over_limit"}',
    ]:
        assert line in counted
    assert "somebody" not in counted
    refused = await client.get("/metrics", headers={"x-spacey-secret": "wrong"})
    assert refused.status_code == 401
