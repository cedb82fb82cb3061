"""The JSON that goes in and out, member for member as the contract names it.

A request with a member that is not known, of another type or over a limit is refused as a whole.
"""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from card_generation.generation.model import Prompt
from card_generation.limits import (
    MAX_ANSWER_LENGTH,
    MAX_CARDS,
    MAX_ID_LENGTH,
    MAX_INSTRUCTIONS_LENGTH,
    MAX_PROMPT_NAME_LENGTH,
    MAX_QUESTION_LENGTH,
    MAX_SYSTEM_MESSAGE_LENGTH,
    MAX_TEXT_LENGTH,
    MAX_TOKENS,
)

T = TypeVar("T")

Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_LENGTH)]
Question = Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUESTION_LENGTH)]
Answer = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ANSWER_LENGTH)]
Instructions = Annotated[str, StringConstraints(min_length=1, max_length=MAX_INSTRUCTIONS_LENGTH)]
Offset = Annotated[int, Field(ge=0, le=MAX_TEXT_LENGTH)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Sourced(_Request):
    """Has a source: a range of code points of a text."""

    source_start_index: Offset
    source_end_index: Offset

    @model_validator(mode="after")
    def _in_order(self) -> "_Sourced":
        if self.source_start_index >= self.source_end_index:
            raise ValueError("source_end_index must be greater than source_start_index")
        return self


class Card(_Sourced):
    """A card of a note."""

    question: Question
    answer: Answer


class PromptParameters(_Request):
    """How a language model answers, named and bounded as the OpenAI API does; each is optional."""

    model: (
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/-]+$", max_length=MAX_PROMPT_NAME_LENGTH)]
        | None
    ) = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS)] | None = None


class PromptIn(_Request):
    """What a language model is told in place of what is built in. `{max_cards}` stands for the most cards."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROMPT_NAME_LENGTH)]
    system_message: Annotated[
        str, StringConstraints(min_length=1, max_length=MAX_SYSTEM_MESSAGE_LENGTH, pattern=r"\S")
    ]
    parameters: PromptParameters = PromptParameters()

    def to_prompt(self) -> Prompt:
        """Make the value that generators take."""
        sampling = self.parameters.model_dump(exclude_none=True)
        model = sampling.pop("model", None)
        return Prompt(self.system_message, model, sampling)


class CreateNote(_Request):
    """Asks for a note. What follows `deck_id` are additions to the contract."""

    text: Text
    deck_id: Id
    max_cards: Annotated[int, Field(ge=1, le=MAX_CARDS)] = MAX_CARDS
    prompt: PromptIn | None = None
    instructions: Instructions | None = None

    @field_validator("text")
    @classmethod
    def _has_words(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("text must hold more than white space")
        return text


class ReplaceCards(_Request):
    """The new cards of a note."""

    cards: Annotated[list[Card], Field(max_length=MAX_CARDS)]


class CreateCard(_Sourced):
    """Asks for one card from a part of a note's text."""

    text: Text
    deck_id: Id

    @model_validator(mode="after")
    def _inside(self) -> "CreateCard":
        if self.source_end_index > len(self.text):
            raise ValueError(
                f"source_end_index must be at most {len(self.text)}, the length of text in code points"
            )
        if not self.text[self.source_start_index : self.source_end_index].strip():
            raise ValueError("the source must hold more than white space")
        return self


class CardOut(BaseModel):
    """A card in an answer."""

    question: str
    answer: str
    source_start_index: int
    source_end_index: int


class GeneratorOut(BaseModel):
    """Who made the cards."""

    name: str
    model: str | None


class NoteOut(BaseModel):
    """A note in a listing."""

    id: str
    text: str
    cards: list[CardOut]


class RejectedOut(BaseModel):
    """How many cards were made but not kept, by reason."""

    total: int
    reasons: dict[str, int]


class NoticeOut(BaseModel):
    """Something a person should know about the cards."""

    code: str
    message: str


class GeneratedNoteOut(NoteOut):
    """A new note. `generator`, `rejected` and `notices` are additions to the contract."""

    generator: GeneratorOut
    rejected: RejectedOut
    notices: list[NoticeOut]


class CardsOut(BaseModel):
    """The cards that a note has now. `saved`, false for an absent note, is an addition."""

    cards: list[CardOut]
    saved: bool


class NoteCardOut(BaseModel):
    """A note and the card that was appended to it."""

    id: str
    text: str
    card: CardOut


class AddedCardOut(BaseModel):
    """A card of a deck."""

    id: str
    question: str
    answer: str
    deckID: str  # noqa: N815 the contract's name


class AddedCardsOut(BaseModel):
    """The cards that were added to a deck."""

    cards: list[AddedCardOut]


class Success(BaseModel, Generic[T]):
    """The envelope of every answer that is not an error."""

    message: str = "success"
    data: T


class Health(BaseModel):
    """How the service is."""

    status: str
    generator: GeneratorOut
    keeps_answers: bool
    """Whether the same request with the same `idempotency-key` gets the same answer again."""


def error_body(message: str, code: str) -> dict[str, Any]:
    """Make the body of an error."""
    return {"message": message, "error": code}


def invalid_body(location: tuple[str | int, ...], message: str, kind: str) -> dict[str, Any]:
    """Make the body of a refused request, in the form that validation answers."""
    return {"detail": [{"loc": list(location), "msg": message, "type": kind}]}
