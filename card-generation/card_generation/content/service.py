"""All rules about contents: who may see one, and how a source becomes text, also after a restart.

Another user's content does not exist for a user. What cannot be had or read ends as failed, with the reason.
"""

import asyncio
import logging
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from card_generation.content.fetch import Fetcher, FetchError, address_of, doi_of
from card_generation.content.model import MAX_CONTENTS, MAX_PROCESSING, Content, SourceType, Status
from card_generation.content.reading import ReadError, read
from card_generation.content.store import ContentStore, Refusal
from card_generation.content.turns import Turns
from card_generation.errors import BadRequestError, ConflictError

_log = logging.getLogger(__name__)
AT_ONCE = 4
"""How many contents are processed at the same time."""
AT_ONCE_EACH = 2
"""How many of them of one user."""


class ContentService:
    """Adds, lists and changes contents for users."""

    def __init__(self, store: ContentStore, fetcher: Fetcher) -> None:
        self._store = store
        self._fetcher = fetcher
        self._turns = Turns(AT_ONCE, AT_ONCE_EACH)
        self._at_work: set[asyncio.Task[None]] = set()

    async def resume(self) -> None:
        """Process what an earlier run left behind."""
        for content in await asyncio.to_thread(self._store.unfinished):
            self._process_later(content)

    async def close(self) -> None:
        """Stop processing; the next start goes on with it."""
        for work in self._at_work:
            work.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        await self._fetcher.close()

    async def add_source(self, user_id: str, source: str) -> Content:
        """Add an address or a DOI; it is fetched in the background.

        Raises `BadRequestError` when it is neither, and `ConflictError` when the user has too many contents.
        """
        try:
            address_of(source)
        except FetchError as error:
            raise BadRequestError("bad_source", str(error)) from error
        doi = doi_of(source)
        kind = SourceType.URL if doi is None else SourceType.DOI
        return await self._add(_new(user_id, kind, doi or source.strip()), None)

    async def add_file(self, user_id: str, name: str, file: bytes) -> Content:
        """Add a PDF; it is read in the background.

        Raises `BadRequestError` when it is none, and `ConflictError` when the user has too many contents.
        """
        if not file.startswith(b"%PDF-"):
            raise BadRequestError("no_pdf", "The file is no PDF.")
        return await self._add(_new(user_id, SourceType.PDF, name[:300]), file)

    async def listed(self, user_id: str, ids: list[str] | None) -> list[Content]:
        """List a user's contents, newest first."""
        return await asyncio.to_thread(self._store.listed, user_id, ids)

    async def file(self, user_id: str, content_id: str) -> bytes | None:
        """Read the PDF of a content."""
        return await asyncio.to_thread(self._store.file, user_id, content_id)

    async def set_read(self, user_id: str, content_id: str, read: bool) -> bool:
        """Set whether a content was read; say whether there is one."""
        return await asyncio.to_thread(self._store.set_read, user_id, content_id, read)

    async def annotate(self, user_id: str, content_id: str, annotations: list[dict[str, Any]]) -> bool:
        """Replace the annotations; say whether there is such a content."""
        return await asyncio.to_thread(self._store.annotate, user_id, content_id, annotations)

    async def delete(self, user_id: str, content_id: str) -> bool:
        """Delete a content with its file; say whether there was one."""
        return await asyncio.to_thread(self._store.delete, user_id, content_id)

    async def forget(self, user_id: str) -> None:
        """Delete all contents of a user. What is being processed for them is not stored any more."""
        await asyncio.to_thread(self._store.forget, user_id)

    async def _add(self, content: Content, file: bytes | None) -> Content:
        match await asyncio.to_thread(self._store.insert, content, file):
            case Refusal.TOO_MANY:
                raise ConflictError(
                    "too_many_contents", f"A user has at most {MAX_CONTENTS} contents: delete some."
                )
            case Refusal.TOO_MANY_PROCESSING:
                raise ConflictError(
                    "too_many_processing",
                    f"Of a user at most {MAX_PROCESSING} contents are being processed: wait for one.",
                )
        self._process_later(content)
        return content

    def _process_later(self, content: Content) -> None:
        work = asyncio.create_task(self._process(content))
        self._at_work.add(work)
        work.add_done_callback(self._at_work.discard)

    async def _process(self, content: Content) -> None:
        async with self._turns.of(content.user_id):
            try:
                content, file = await self._read(content)
            except (FetchError, ReadError) as error:
                content, file = replace(content, status=Status.FAILED, problem=str(error)), None
            except Exception:
                _log.exception("a content could not be processed")
                content, file = replace(content, status=Status.FAILED, problem="Something went wrong."), None
            _log.info("a %s is %s: %s", content.source_type, content.status, content.problem)
            await asyncio.to_thread(self._store.processed, content, file)

    async def _read(self, content: Content) -> tuple[Content, bytes | None]:
        if content.source_type is SourceType.PDF:
            body = await asyncio.to_thread(self._store.file, content.user_id, content.id) or b""
            kind, fetched = "application/pdf", None
        else:
            page = await self._fetcher.fetch(content.source)
            body, kind = page.body, page.content_type
            fetched = body if body.startswith(b"%PDF-") else None
        found = await read(body, kind)
        title = found.title or content.source
        processed = replace(
            content, status=Status.PROCESSED, title=title, summary=found.summary, text=found.text
        )
        return processed, fetched


def _new(user_id: str, kind: SourceType, source: str) -> Content:
    created_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Content(
        id=str(uuid.uuid4()), user_id=user_id, source_type=kind, source=source, created_at=created_at
    )
