"""What the tests share: settings, the application over an in-process transport, a fake model API."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from card_generation.content.fetch import Fetcher
from card_generation.content.store import ContentStore
from card_generation.notes.store import NoteStore
from card_generation.settings import load_settings
from card_generation.web.app import create_app
from tests.fake_openai import FakeOpenAi

SECRET = "a-secret-of-the-tests"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def fake_openai() -> Iterator[FakeOpenAi]:
    with FakeOpenAi() as server:
        yield server


@asynccontextmanager
async def open_client(
    folder: Path, *fetchers: Fetcher, **environment: str
) -> AsyncIterator[httpx.AsyncClient]:
    """Start the application with settings as from the environment, and a client that knows the secret."""
    settings = load_settings(
        {"SPACEY_GENERATION_SECRET": SECRET, "SPACEY_GENERATION_DATA_DIR": str(folder)} | environment
    )
    store = NoteStore.open(settings.data_dir)
    contents = ContentStore.open(settings.data_dir)
    app = create_app(settings, store, contents, *fetchers)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    try:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=transport, base_url="http://service", headers={"x-spacey-secret": SECRET}
            ) as client,
        ):
            yield client
    finally:
        store.close()
        contents.close()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that makes cards offline."""
    async with open_client(tmp_path) as offline:
        yield offline
