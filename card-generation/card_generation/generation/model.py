"""What goes into a generator and what comes out: values shared by both generators.

A `Draft` that exists is valid: it has a question and an answer within the limits, and a source that
is a real, non-empty part of its text.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from card_generation.limits import MAX_ANSWER_LENGTH, MAX_QUESTION_LENGTH


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A part of a text, from `start` up to but not including `end`, in code points."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Cut this part out of the text."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Draft:
    """A card that was made, and where in the text it came from."""

    question: str
    answer: str
    source: Span


class Reject(StrEnum):
    """Why a card that a generator came up with was not kept."""

    UNPARSABLE = "unparsable"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    QUOTE_NOT_FOUND = "quote_not_found"
    DUPLICATE = "duplicate"
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know about the cards that were made."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is told in place of what is built in, and how it answers.

    `model` replaces the one of the settings; `sampling` holds the API's own members by name.
    """

    system_message: str
    model: str | None
    sampling: dict[str, float | int]


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A text to make at most `max_cards` cards from; with a `focus`, only from that part of it.

    `instructions` are what the person wishes besides. Without a `prompt` the generator uses its own. One
    that asks no language model has no use for either.
    """

    text: str
    max_cards: int
    focus: Span | None = None
    prompt: Prompt | None = None
    instructions: str | None = None


@dataclass(frozen=True, slots=True)
class GeneratorInfo:
    """Who made the cards. `model` is absent when no language model was used."""

    name: str
    model: str | None


@dataclass(slots=True)
class Generation:
    """The cards of one generation, in the order of the text, and the account of what was left out."""

    generator: GeneratorInfo
    drafts: list[Draft]
    rejected: Counter[Reject] = field(default_factory=Counter)
    notices: list[Notice] = field(default_factory=list)


Report = Callable[[Draft], None]
"""Takes a card as soon as it is made: a foretaste, as the generation says in the end which there are."""


class CardGenerator(Protocol):
    """Makes cards from text."""

    @property
    def info(self) -> GeneratorInfo:
        """The name of this generator."""

    async def generate(self, request: GenerationRequest, report: Report | None = None) -> Generation:
        """Make cards, and report each as soon as it is made.

        Raises `UpstreamError` when the cards cannot be had; an answer without cards is not a failure.
        """

    async def close(self) -> None:
        """Free what the generator holds open."""


def check(question: str, answer: str) -> Reject | None:
    """Say why a card of this question and answer must not be kept, if so."""
    if not question.strip() or not answer.strip():
        return Reject.EMPTY
    if len(question) > MAX_QUESTION_LENGTH or len(answer) > MAX_ANSWER_LENGTH:
        return Reject.TOO_LONG
    return None


def keep(drafts: list[Draft], max_cards: int, rejected: Counter[Reject]) -> list[Draft]:
    """Drop repeated questions and what is over the limit, count both, and keep the order."""
    kept: list[Draft] = []
    seen: set[str] = set()
    for draft in drafts:
        question = " ".join(draft.question.casefold().split())
        if question in seen:
            rejected[Reject.DUPLICATE] += 1
        elif len(kept) >= max_cards:
            rejected[Reject.OVER_LIMIT] += 1
        else:
            seen.add(question)
            kept.append(draft)
    return kept
