"""The contract's routes about notes: each maps a request to one call of the note service."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request

from card_generation.errors import NoteNotFoundError
from card_generation.generation.model import GenerationRequest, Span
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


@router.post("/notes")
async def create_note(
    notes: Notes, body: CreateNote, user_id: UserId, idempotency_key: IdempotencyKey = None
) -> Success[GeneratedNoteOut]:
    """Make cards from a text."""
    prompt = body.prompt.to_prompt() if body.prompt else None
    request = GenerationRequest(body.text, body.max_cards, prompt=prompt)
    note = await notes.create(user_id, body.deck_id, request, idempotency_key)
    return Success(
        data=GeneratedNoteOut(id=note.id, text=note.text, cards=_cards(note.cards), **json.loads(note.origin))
    )


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
