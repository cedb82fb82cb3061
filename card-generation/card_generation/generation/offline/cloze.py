"""Makes cloze cards: a key sentence with one of its terms left out, shown as [...].

Sentences and terms are chosen by plain statistics: how often a term occurs in the text, where the
sentence stands, and whether a term looks like a name, a date or the head of a phrase.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from card_generation.generation.model import Draft
from card_generation.generation.offline.casing import Casing
from card_generation.generation.offline.languages import Language
from card_generation.generation.offline.sentences import Sentence
from card_generation.generation.offline.terms import Term, cjk_terms, spaced_terms
from card_generation.generation.offline.words import words

BLANK = "[...]"

_SHARE_OF_SENTENCES = 0.5
_MIN_TERM_WEIGHT = 1.4
_STRONGEST_TERMS = 5
_MIN_WORDS, _MAX_WORDS = 6, 45
_MIN_CJK, _MAX_CJK = 12, 150
_MAX_LENGTH = 400
_ADDRESS = re.compile(r"https?://|www\.|\S@\S")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence with its terms, and how much it says about what the text is about."""

    sentence: Sentence
    terms: list[Term]
    weight: float


class ClozeMaker:
    """Makes cloze cards from the sentences of one text."""

    def __init__(self, text: str, language: Language, casing: Casing) -> None:
        self._language = language
        self._casing = casing
        self._counts = Counter(word.casefold() for word, _ in words(text))
        self._find_terms: Callable[[str], list[Term]] = self._spaced
        if not language.spaced:
            self._find_terms = cjk_terms(text)

    def best(self, sentences: list[Sentence], most: int) -> list[Draft]:
        """Make cards from the weightiest sentences, the weightiest first."""
        candidates = [c for c in map(self._candidate, sentences) if c is not None]
        if not candidates or most <= 0:
            return []
        wanted = min(most, math.ceil(len(candidates) * _SHARE_OF_SENTENCES))
        candidates.sort(key=lambda c: (-c.weight, c.sentence.source))
        asked: Counter[str] = Counter()
        drafts: list[Draft] = []
        for candidate in candidates[:wanted]:
            # A term that was asked for already is worth less, so that the cards differ.
            term = max(candidate.terms, key=lambda t: t.weight - asked[t.text.casefold()])
            asked[term.text.casefold()] += 1
            drafts.append(_cloze(candidate.sentence, term))
        return drafts

    def from_sentence(self, sentence: Sentence, preferred: str) -> Draft | None:
        """Make a card from this sentence if it can be done at all, best with a term of `preferred`."""
        if BLANK in sentence.plain:
            return None
        terms = [t for t in self._find_terms(sentence.plain) if t.text != sentence.plain]
        chosen = [t for t in terms if t.text in preferred] or terms
        if not chosen:
            return None
        return _cloze(sentence, max(chosen, key=lambda t: t.weight))

    def _spaced(self, sentence: str) -> list[Term]:
        return spaced_terms(sentence, self._counts, self._language, self._casing)

    def _candidate(self, sentence: Sentence) -> _Candidate | None:
        if not self._is_suitable(sentence.plain):
            return None
        found = self._find_terms(sentence.plain)
        terms = [term for term in found if term.weight >= _MIN_TERM_WEIGHT]
        if not terms:
            return None
        strongest = sorted((term.weight for term in found), reverse=True)[:_STRONGEST_TERMS]
        weight = sum(strongest) / math.sqrt(len(strongest)) + 1.0 / (1 + sentence.place)
        return _Candidate(sentence, terms, weight)

    def _is_suitable(self, sentence: str) -> bool:
        """Say whether a sentence makes sense on its own and has a fit length."""
        if BLANK in sentence or sentence.rstrip("\"'”»").endswith(("?", "？", ":", "：")):
            return False
        if _ADDRESS.search(sentence) or len(sentence) > _MAX_LENGTH:
            return False
        if not self._language.spaced:
            starts = tuple(self._language.dependent_starts)
            return _MIN_CJK <= len(sentence) <= _MAX_CJK and not sentence.startswith(starts)
        parts = [word for word, _ in words(sentence)]
        if not _MIN_WORDS <= len(parts) <= _MAX_WORDS:
            return False
        first, second = parts[0].casefold(), parts[1].casefold()
        subject = second if first in self._language.articles else first
        return not (first in self._language.dependent_starts or subject in self._language.vague_subjects)


def _cloze(sentence: Sentence, term: Term) -> Draft:
    """Leave the term out everywhere in the sentence, so that the question does not give it away."""
    boundary = r"\b" if term.whole_word else ""
    pattern = rf"{boundary}{re.escape(term.text)}{boundary}"
    question = re.sub(pattern, lambda _: BLANK, sentence.plain)
    return Draft(question, term.text, sentence.source)
