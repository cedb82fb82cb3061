"""The offline generator itself: sentences, definitions, cloze cards, in the order of the text.

It needs no network and no key, gives the same cards for the same text, and says in its answer what
it is. Its work is done in a worker thread, so that other requests are answered meanwhile.
"""

import asyncio
from collections import Counter

from card_generation.generation.model import (
    Draft,
    Generation,
    GenerationRequest,
    GeneratorInfo,
    Notice,
    Reject,
    Report,
    Span,
    check,
    keep,
)
from card_generation.generation.offline.casing import Casing
from card_generation.generation.offline.cloze import ClozeMaker
from card_generation.generation.offline.definitions import find_definition, find_names
from card_generation.generation.offline.languages import Language, detect_language
from card_generation.generation.offline.sentences import Sentence, split_sentences
from card_generation.generation.offline.words import plain

INFO = GeneratorInfo("offline-extractive", None)

_EXTRACTIVE = Notice(
    "extractive",
    "Made offline, without a language model: definitions and key sentences were taken out of the text.",
)
_INSTRUCTIONS = Notice(
    "instructions_ignored", "Made offline, without a language model: instructions are not understood."
)
_NO_CARDS = Notice(
    "no_cards",
    "No definition and no key sentence was found. Whole sentences that explain work best.",
)


class OfflineGenerator:
    """Makes cards out of the sentences of a text."""

    @property
    def info(self) -> GeneratorInfo:
        """The generator's name; there is no model."""
        return INFO

    async def generate(self, request: GenerationRequest, report: Report | None = None) -> Generation:
        """Make cards, all at once. Does not fail; a text may give no cards."""
        generation = await asyncio.to_thread(extract, request)
        if report is not None:
            for draft in generation.drafts:
                report(draft)
        if request.instructions is not None:
            generation.notices.append(_INSTRUCTIONS)
        return generation

    async def close(self) -> None:
        """Nothing is held open."""


def extract(request: GenerationRequest) -> Generation:
    """Make cards from a text, definitions before cloze cards where there is not room for all."""
    language = detect_language(request.text)
    casing = Casing(request.text, language)
    cloze = ClozeMaker(request.text, language, casing)
    sentences = split_sentences(request.text, language)
    if request.focus is None:
        drafts = _from_text(sentences, language, casing, cloze, request.max_cards)
    else:
        drafts = _from_part(sentences, request.text, request.focus, language, casing, cloze)
    rejected: Counter[Reject] = Counter()
    sound: list[Draft] = []
    for draft in drafts:
        reason = check(draft.question, draft.answer)
        if reason is None:
            sound.append(draft)
        else:
            rejected[reason] += 1
    # With a focus one card is asked for, and the others are alternatives to it, not losses.
    kept = keep(sound, request.max_cards, rejected if request.focus is None else Counter())
    kept.sort(key=lambda draft: draft.source)
    notices = [_EXTRACTIVE] if kept else [_EXTRACTIVE, _NO_CARDS]
    return Generation(INFO, kept, rejected, notices)


def _from_text(
    sentences: list[Sentence],
    language: Language,
    casing: Casing,
    cloze: ClozeMaker,
    max_cards: int,
) -> list[Draft]:
    definitions: list[Draft] = []
    others: list[Sentence] = []
    for sentence in _without_repeats(sentences):
        definition = find_definition(sentence, language, casing)
        if definition is None:
            others.append(sentence)
        else:
            definitions.append(definition)
        definitions.extend(find_names(sentence, language, casing))
    return definitions + cloze.best(others, max_cards - len(definitions))


def _from_part(
    sentences: list[Sentence],
    text: str,
    focus: Span,
    language: Language,
    casing: Casing,
    cloze: ClozeMaker,
) -> list[Draft]:
    """Make cards from the sentences that a chosen part touches; the first is the best."""
    chosen = plain(focus.of(text))
    touched = [s for s in sentences if s.source.start < focus.end and focus.start < s.source.end]
    touched = touched or [Sentence(focus, chosen, 0, 0)]
    drafts = [d for s in touched if (d := find_definition(s, language, casing)) is not None]
    for sentence in touched:
        drafts.extend(find_names(sentence, language, casing))
        draft = cloze.from_sentence(sentence, chosen)
        if draft is not None:
            drafts.append(draft)
    return drafts


def _without_repeats(sentences: list[Sentence]) -> list[Sentence]:
    """Leave out a sentence that was there before, word for word."""
    first: dict[str, Sentence] = {}
    for sentence in sentences:
        first.setdefault(sentence.plain.casefold(), sentence)
    return list(first.values())
