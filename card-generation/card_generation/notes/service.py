"""All rules about notes: who may see one, when its cards may change, and that nothing is made twice.

Another user's note does not exist for a user. A generation that fails stores nothing.
"""

import asyncio
import hashlib
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from card_generation import metrics
from card_generation.errors import ConflictError, InvalidInputError, NoteNotFoundError
from card_generation.generation.model import (
    CardGenerator,
    Draft,
    Generation,
    GenerationRequest,
    Report,
    Span,
)
from card_generation.limits import MAX_CARDS
from card_generation.notes.store import Note, NoteStore, StoredCard

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddedCard:
    """A card that went into a deck, with the id it got."""

    id: str
    question: str
    answer: str
    deck_id: str


class NoteService:
    """Makes, lists and changes notes for users."""

    def __init__(self, store: NoteStore, generator: CardGenerator, concurrency: int) -> None:
        self._store = store
        self._generator = generator
        self._slots = asyncio.Semaphore(concurrency)
        self._keys: dict[tuple[str, str], _KeyLock] = {}
        self._at_work: dict[asyncio.Task[Note], tuple[str, str | None]] = {}

    async def create(
        self,
        user_id: str,
        deck_id: str,
        request: GenerationRequest,
        key: str | None,
        report: Report | None = None,
    ) -> Note:
        """Make cards from a text and store both as a note; report each card as soon as it is made.

        It is completed also when the caller is gone: with its key the note can be had later.

        With an idempotency key the same request answers the same note again; a request that comes
        while the first is at work waits for it. The prompt is not the person's, so a request that
        is sent again after it changed is the same all the same. Raises `ConflictError` when the
        key belongs to another request, or it was called off, and what the generator raises.
        """
        work = asyncio.create_task(self._create(user_id, deck_id, request, key, report))
        self._at_work[work] = (user_id, key)
        work.add_done_callback(self._done)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if work.cancelled() and not (own and own.cancelling()):
                raise ConflictError("called_off", "This generation was called off.") from None
            raise

    async def call_off(self, user_id: str, key: str) -> bool:
        """End what is at work under a key, which frees its place, and forget what was made under it.

        Say whether anything was at work. Cards that were added to a deck stay.
        """
        called_off = [work for work, whose in self._at_work.items() if whose == (user_id, key)]
        for work in called_off:
            work.cancel()
        await asyncio.gather(*called_off, return_exceptions=True)
        await asyncio.to_thread(self._store.forget_key, user_id, key)
        return bool(called_off)

    def _done(self, work: asyncio.Task[Note]) -> None:
        self._at_work.pop(work, None)
        # Whoever waited got the exception; when nobody does any more, it is nobody's.
        if not work.cancelled():
            work.exception()

    async def _create(
        self,
        user_id: str,
        deck_id: str,
        request: GenerationRequest,
        key: str | None,
        report: Report | None,
    ) -> Note:
        digest = _digest(deck_id, request)
        if key is None:
            return await self._generate_note(user_id, deck_id, request, None, digest, report)
        async with self._only_one(user_id, key):
            note = await asyncio.to_thread(self._store.by_key, user_id, key)
            if note is None:
                note = await self._generate_note(user_id, deck_id, request, key, digest, report)
        if note.request_digest != digest:
            raise ConflictError(
                "idempotency_key_reused",
                "This idempotency-key was used for another request; use a new one for each request.",
            )
        return note

    async def pending(self, user_id: str) -> list[Note]:
        """List the last note of each deck whose cards were not added yet."""
        return await asyncio.to_thread(self._store.pending, user_id)

    async def replace_cards(
        self, user_id: str, note_id: str, cards: tuple[StoredCard, ...]
    ) -> tuple[StoredCard, ...]:
        """Replace the cards of a note.

        Raises `NoteNotFoundError`, `ConflictError` when the cards were added already, and
        `InvalidInputError` when a source lies outside the note's text.
        """
        note = await self._open_note(user_id, note_id)
        for position, card in enumerate(cards):
            if card.source_end_index > len(note.text):
                raise InvalidInputError(
                    ("body", "cards", position, "source_end_index"),
                    f"{card.source_end_index} lies behind the end of the text, which has "
                    f"{len(note.text)} code points",
                )
        if not await asyncio.to_thread(self._store.replace_cards, user_id, note_id, cards):
            raise _already_added()
        return cards

    async def add_to_deck(self, user_id: str, note_id: str, deck_id: str) -> list[AddedCard]:
        """Mark the cards of a note as added to a deck and give each an id.

        The ids follow from the note and the card's place in it. Raises `NoteNotFoundError`, and
        `ConflictError` when they were added already.
        """
        note = await self._open_note(user_id, note_id)
        if not await asyncio.to_thread(self._store.mark_added, user_id, note_id, deck_id):
            raise _already_added()
        return [
            AddedCard(str(uuid.uuid5(uuid.UUID(note.id), str(place))), c.question, c.answer, deck_id)
            for place, c in enumerate(note.cards)
        ]

    async def create_card(
        self, user_id: str, note_id: str, deck_id: str, text: str, source: Span
    ) -> tuple[Note, StoredCard]:
        """Make one card from a part of a note's text and append it to the note.

        Raises `NoteNotFoundError`, `ConflictError` when the note has another text or deck, is full
        or was added already, `InvalidInputError` when no card can be made from that part, and what
        the generator raises.
        """
        note = await self._open_note(user_id, note_id)
        if note.text != text or note.deck_id != deck_id:
            raise ConflictError("note_differs", "The text or deck_id is not the note's; read the note again.")
        if len(note.cards) >= MAX_CARDS:
            raise ConflictError("note_full", f"The note has {MAX_CARDS} cards, which is the most.")
        generation = await self._generate(GenerationRequest(text, max_cards=1, focus=source))
        if not generation.drafts:
            raise InvalidInputError(
                ("body", "source_start_index"), "no card can be made from this part of the text"
            )
        # The card's source is what the person chose, even where the generator used less of it.
        card = _stored(Draft(generation.drafts[0].question, generation.drafts[0].answer, source))
        if not await asyncio.to_thread(self._store.append_card, user_id, note_id, card, MAX_CARDS):
            raise ConflictError("note_changed", "The note was filled or added while the card was made.")
        return note, card

    async def _open_note(self, user_id: str, note_id: str) -> Note:
        """Find a note whose cards were not added yet."""
        note = await asyncio.to_thread(self._store.get, user_id, note_id)
        if note is None:
            raise NoteNotFoundError(f"There is no note {note_id!r}.")
        if note.added_to is not None:
            raise _already_added()
        return note

    async def _generate_note(
        self,
        user_id: str,
        deck_id: str,
        request: GenerationRequest,
        key: str | None,
        digest: str,
        report: Report | None,
    ) -> Note:
        generation = await self._generate(request, report)
        note = Note(
            id=str(uuid.uuid4()),
            user_id=user_id,
            deck_id=deck_id,
            text=request.text,
            cards=tuple(_stored(draft) for draft in generation.drafts),
            origin=_origin(generation),
            idempotency_key=key,
            request_digest=digest,
        )
        return await asyncio.to_thread(self._store.insert, note, time.time())

    async def _generate(self, request: GenerationRequest, report: Report | None = None) -> Generation:
        async with self._slots:
            started = time.monotonic()
            with metrics.generating(self._generator.info.name):
                generation = await self._generator.generate(request, report)
        metrics.count(generation)
        _log.info(
            "%s made %d cards from %d code points in %.0f ms, %d rejected",
            generation.generator.name,
            len(generation.drafts),
            len(request.text),
            (time.monotonic() - started) * 1000,
            generation.rejected.total(),
        )
        return generation

    @asynccontextmanager
    async def _only_one(self, user_id: str, key: str) -> AsyncIterator[None]:
        """Let one request with a key at work at a time; a lock lives as long as someone wants it."""
        held = self._keys.setdefault((user_id, key), _KeyLock())
        held.wanted += 1
        try:
            async with held.lock:
                yield
        finally:
            held.wanted -= 1
            if held.wanted == 0:
                del self._keys[user_id, key]


class _KeyLock:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.wanted = 0


def _already_added() -> ConflictError:
    return ConflictError("already_added", "The cards of this note were added to a deck already.")


def _digest(deck_id: str, request: GenerationRequest) -> str:
    told: list[str | int] = [deck_id, request.text, request.max_cards]
    if request.instructions is not None:
        told.append(request.instructions)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _stored(draft: Draft) -> StoredCard:
    return StoredCard(draft.question, draft.answer, draft.source.start, draft.source.end)


def _origin(generation: Generation) -> str:
    return json.dumps(
        {
            "generator": asdict(generation.generator),
            "rejected": {
                "total": generation.rejected.total(),
                "reasons": {str(reason): n for reason, n in sorted(generation.rejected.items())},
            },
            "notices": [asdict(notice) for notice in generation.notices],
        },
        ensure_ascii=False,
    )
