"""The contract's routes about notes: each maps a request to one call of the note service.

Who accepts `application/x-ndjson` gets the answer of `POST /notes` in parts, a line of JSON each.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import StreamingResponse

from card_generation.errors import NoteNotFoundError, ServiceError
from card_generation.generation.model import Draft, GenerationRequest, Span
from card_generation.limits import MAX_ID_LENGTH, MAX_IDEMPOTENCY_KEY_LENGTH
from card_generation.notes.service import NoteService
from card_generation.notes.store import Note, StoredCard
from card_generation.web.models import (
    AddedCardOut,
    AddedCardsOut,
    CardOut,
    CardsOut,
    CreateCard,
    CreateNote,
    GeneratedNoteOut,
    NoteCardOut,
    NoteOut,
    ReplaceCards,
    Success,
)

router = APIRouter()
_log = logging.getLogger(__name__)

IN_PARTS = "application/x-ndjson"
WAIT_SECONDS = 5.0
"""How often a line says that the generation is still at work."""

UserId = Annotated[str, Query(alias="userID", min_length=1, max_length=MAX_ID_LENGTH)]
DeckId = Annotated[str, Query(min_length=1, max_length=MAX_ID_LENGTH)]
NoteId = Annotated[str, Path(min_length=1, max_length=MAX_ID_LENGTH)]
IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=MAX_IDEMPOTENCY_KEY_LENGTH, pattern=r"^[\x21-\x7e]+$"),
]


def _service(request: Request) -> NoteService:
    service: NoteService = request.app.state.notes
    return service


Notes = Annotated[NoteService, Depends(_service)]


@router.post("/notes", response_model=Success[GeneratedNoteOut])
async def create_note(
    notes: Notes,
    body: CreateNote,
    user_id: UserId,
    idempotency_key: IdempotencyKey = None,
    accept: Annotated[str, Header()] = "",
) -> Success[GeneratedNoteOut] | StreamingResponse:
    """Make cards from a text."""
    prompt = body.prompt.to_prompt() if body.prompt else None
    request = GenerationRequest(body.text, body.max_cards, prompt=prompt, instructions=body.instructions)
    if _wants_parts(accept):
        parts = in_parts(notes, user_id, body.deck_id, request, idempotency_key)
        return StreamingResponse(parts, media_type=IN_PARTS)
    note = await notes.create(user_id, body.deck_id, request, idempotency_key)
    return Success(data=_generated(note))


def _wants_parts(accept: str) -> bool:
    return any(part.split(";")[0].strip().lower() == IN_PARTS for part in accept.split(","))


async def in_parts(
    notes: NoteService, user_id: str, deck_id: str, request: GenerationRequest, key: str | None
) -> AsyncIterator[str]:
    """Write each card as soon as it is made, and last the whole answer, or the error it would have been."""
    drafts: asyncio.Queue[Draft | None] = asyncio.Queue()
    work = asyncio.create_task(notes.create(user_id, deck_id, request, key, drafts.put_nowait))
    work.add_done_callback(lambda _: drafts.put_nowait(None))
    while True:
        try:
            draft = await asyncio.wait_for(drafts.get(), WAIT_SECONDS)
        except TimeoutError:
            yield _line(type="wait")
            continue
        if draft is None:
            break
        card = CardOut(
            question=draft.question,
            answer=draft.answer,
            source_start_index=draft.source.start,
            source_end_index=draft.source.end,
        )
        yield _line(type="card", card=card.model_dump())
    try:
        note = await work
    except ServiceError as error:
        if error.status >= 500:
            _log.warning("%s: %s (%r)", error.code, error.message, error.__cause__)
        yield _line(type="error", status=error.status, error=error.code, message=error.message)
    except Exception:
        _log.exception("a generation failed unexpectedly")
        yield _line(type="error", status=500, error="internal", message="Something went wrong.")
    else:
        yield _line(type="done", data=_generated(note).model_dump())


def _line(**members: Any) -> str:
    return json.dumps(members, ensure_ascii=False) + "\n"


def _generated(note: Note) -> GeneratedNoteOut:
    return GeneratedNoteOut(id=note.id, text=note.text, cards=_cards(note.cards), **json.loads(note.origin))


@router.delete("/notes")
async def call_off(
    notes: Notes,
    user_id: UserId,
    idempotency_key: Annotated[
        str, Header(min_length=1, max_length=MAX_IDEMPOTENCY_KEY_LENGTH, pattern=r"^[\x21-\x7e]+$")
    ],
) -> dict[str, Any]:
    """End what is at work under a key, and forget what was made under it: an addition to the contract."""
    await notes.call_off(user_id, idempotency_key)
    return {"message": "success", "status_code": 200}


@router.get("/notes")
async def list_notes(notes: Notes, user_id: UserId) -> Success[dict[str, NoteOut]]:
    """List the last note of each deck whose cards were not added yet."""
    return Success(data={note.deck_id: _listed(note) for note in await notes.pending(user_id)})


@router.put("/notes/{note_id}")
async def replace_cards(
    notes: Notes, body: ReplaceCards, note_id: NoteId, user_id: UserId
) -> Success[CardsOut]:
    """Replace the cards of a note. For an absent note the contract answers 200, too."""
    cards = tuple(StoredCard(**card.model_dump()) for card in body.cards)
    try:
        saved = await notes.replace_cards(user_id, note_id, cards)
    except NoteNotFoundError as error:
        return Success(message=error.message, data=CardsOut(cards=[], saved=False))
    return Success(data=CardsOut(cards=_cards(saved), saved=True))


@router.post("/notes/{note_id}/cards")
async def add_cards(
    notes: Notes, note_id: NoteId, user_id: UserId, deck_id: DeckId
) -> Success[AddedCardsOut]:
    """Mark the cards of a note as added to a deck."""
    added = await notes.add_to_deck(user_id, note_id, deck_id)
    cards = [
        AddedCardOut(id=card.id, question=card.question, answer=card.answer, deckID=card.deck_id)
        for card in added
    ]
    return Success(data=AddedCardsOut(cards=cards))


@router.post("/notes/{note_id}/card")
async def create_card(
    notes: Notes, body: CreateCard, note_id: NoteId, user_id: UserId
) -> Success[NoteCardOut]:
    """Make one card from a part of a note's text."""
    source = Span(body.source_start_index, body.source_end_index)
    note, card = await notes.create_card(user_id, note_id, body.deck_id, body.text, source)
    return Success(data=NoteCardOut(id=note.id, text=note.text, card=_card(card)))


def _listed(note: Note) -> NoteOut:
    return NoteOut(id=note.id, text=note.text, cards=_cards(note.cards))


def _cards(cards: tuple[StoredCard, ...]) -> list[CardOut]:
    return [_card(card) for card in cards]


def _card(card: StoredCard) -> CardOut:
    return CardOut(
        question=card.question,
        answer=card.answer,
        source_start_index=card.source_start_index,
        source_end_index=card.source_end_index,
    )
