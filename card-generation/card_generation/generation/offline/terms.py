"""Finds the terms of a sentence that are worth asking for, and weighs them.

There is no grammar here: the weight comes from how often a term occurs in the text and from signs
such as a capital in mid-sentence, a year, or standing where a noun phrase ends.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from card_generation.generation.model import Span
from card_generation.generation.offline.casing import Casing
from card_generation.generation.offline.languages import Language
from card_generation.generation.offline.words import words

_NAME_LINKS = frozenset("of the and de la del della di du von van der zu".split())
_MAX_NAME_WORDS = 6
_LONG_WORD = 8
_SHORT_WORD = 5
_MIN_WORD = 3
_MAX_NGRAM = 6
_SURE_NGRAM = 3
_YEAR = re.compile(r"1\d{3}|20\d{2}")
_ENGLISH_WEAK = ("ly", "ing", "ed", "able", "ful", "ous")

_CJK_TERM = re.compile(
    r"(?P<katakana>[ァ-ヴー]{3,})|「(?P<quoted>[^「」]{2,12})」|(?P<number>\d+(?:[.,]\d+)*[年世紀%％度]*)"
    r"|(?P<latin>[A-Za-z][A-Za-z0-9\-]+)|(?P<kanji>[\u4e00-\u9fff]{2,6})(?![\u4e00-\u9fff])"
)
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")
_HAN_FUNCTION = frozenset(
    "的是在和了与及其为有不这那之以于由被把对从到也都就而或会能可将并使等所着过个一种上下中里时"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A term as it is written in its sentence."""

    text: str
    weight: float
    whole_word: bool = True


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    span: Span
    is_stopword: bool


def spaced_terms(sentence: str, counts: Counter[str], language: Language, casing: Casing) -> list[Term]:
    """List the terms of a sentence in a language that separates its words."""
    tokens = [_Token(word, span, language.is_stopword(word)) for word, span in words(sentence)]
    terms: list[Term] = []
    position = 0
    while position < len(tokens):
        end = _name_end(sentence, tokens, position, language, casing)
        if end > position + 1:
            name = sentence[tokens[position].span.start : tokens[end - 1].span.end]
            terms.append(Term(name, 2.5 + math.log2(end - position)))
        elif _is_candidate(tokens[position]):
            terms.append(_weigh(sentence, tokens, position, counts, language, casing))
        position = max(end, position + 1)
    # A term before a bracket is given away by what the bracket holds, such as its abbreviation.
    return [term for term in terms if f"{term.text} (" not in sentence]


def _is_candidate(token: _Token) -> bool:
    if token.is_stopword:
        return False
    return len(token.text) >= _MIN_WORD or token.text[0].isdigit() or token.text.isupper()


def _weigh(
    sentence: str,
    tokens: list[_Token],
    position: int,
    counts: Counter[str],
    language: Language,
    casing: Casing,
) -> Term:
    token = tokens[position]
    word = token.text
    weight = 1.0 + math.log2(max(1, counts[word.casefold()]))
    if word[0].isdigit():
        years = sum(1 for other in tokens if _YEAR.fullmatch(other.text))
        # Of two years, as in "between 1801 and 1851", one alone is a poor thing to ask for.
        weight = 2.2 if _YEAR.fullmatch(word) and years == 1 else 1.2
    elif language.capital_nouns:
        weight += 0.7 if word[0].isupper() and position > 0 else -0.5
    elif casing.is_name(word) or word[1:] != word[1:].lower():
        weight += 1.2
    if len(word) >= _LONG_WORD:
        weight += 0.4
    if _ends_phrase(sentence, tokens, position):
        weight += 0.5
    if position > 0 and tokens[position - 1].is_stopword:
        weight += 0.3
    if word.islower() and len(word) <= _SHORT_WORD:
        weight -= 0.5
    if sum(1 for other in tokens if other.text == word) > 1:
        weight -= 0.7
    if position > 0 and tokens[position - 1].text.casefold() in language.dependent_starts:
        weight -= 1.0  # "this energy": the reader cannot know which
    if language.code == "en" and word.endswith(_ENGLISH_WEAK):
        weight -= 0.8
    return Term(word, weight)


def _ends_phrase(sentence: str, tokens: list[_Token], position: int) -> bool:
    """Say whether a function word or a mark follows, as it does after the head of a noun phrase."""
    if position + 1 == len(tokens):
        return True
    following = tokens[position + 1]
    gap = sentence[tokens[position].span.end : following.span.start]
    return following.is_stopword or not gap.isspace()


def _name_end(sentence: str, tokens: list[_Token], start: int, language: Language, casing: Casing) -> int:
    """Find the end of a name of several words, such as "Congress of Vienna"; `start` when there is none."""
    if language.capital_nouns or not _is_name_part(tokens, start, casing):
        return start
    end = start + 1
    position = end
    while position < len(tokens) and position - start < _MAX_NAME_WORDS:
        gap = sentence[tokens[position - 1].span.end : tokens[position].span.start]
        if not gap.isspace():
            break
        if _is_name_part(tokens, position, casing):
            end = position + 1
        elif tokens[position].text not in _NAME_LINKS:
            break
        position += 1
    return end


def _is_name_part(tokens: list[_Token], position: int, casing: Casing) -> bool:
    token = tokens[position]
    if not token.text[0].isupper() or token.is_stopword:
        return False
    if position > 0 or casing.is_name(token.text):
        return True
    # Any sentence begins with a capital; it is a name's when the next word has one, too.
    following = tokens[position + 1 : position + 2]
    return any(word.text[0].isupper() and not word.is_stopword for word in following)


def cjk_terms(text: str) -> Callable[[str], list[Term]]:
    """Prepare to list the terms of sentences of a text that does not separate its words."""
    counts = Counter(found for found, _ in _script_runs(text))
    counts.update(_ngrams(text))

    def terms(sentence: str) -> list[Term]:
        found = dict(_script_runs(sentence))
        for ngram in set(_ngrams(sentence)):
            if counts[ngram] > 1 and (len(ngram) >= _SURE_NGRAM or _is_separate(sentence, ngram)):
                found.setdefault(ngram, 0.2 * len(ngram))
        return [
            Term(term, 1.0 + math.log2(max(1, counts[term])) + bonus, whole_word=False)
            for term, bonus in sorted(found.items(), key=lambda item: sentence.find(item[0]))
        ]

    return terms


_RUN_BONUS = {"katakana": 0.8, "quoted": 1.2, "number": 0.5, "latin": 0.6, "kanji": 0.5}


def _is_separate(sentence: str, ngram: str) -> bool:
    """Say whether no other character of meaning touches the piece, so that it is likely a whole word."""
    start = sentence.find(ngram)
    around = sentence[max(0, start - 1) : start], sentence[start + len(ngram) :][:1]
    return all(not side.isalpha() or side in _HAN_FUNCTION for side in around)


def _script_runs(text: str) -> Iterator[tuple[str, float]]:
    """Go through runs of one script, which are often words, each with its extra weight."""
    for match in _CJK_TERM.finditer(text):
        kind = match.lastgroup or "kanji"
        if kind == "kanji" and not _HAN_FUNCTION.isdisjoint(match["kanji"]):
            continue
        yield match[kind], _RUN_BONUS[kind]


def _ngrams(text: str) -> Iterator[str]:
    """Go through pieces of runs of Han characters that hold no function word."""
    for run in _HAN_RUN.finditer(text):
        for piece in re.split(f"[{''.join(_HAN_FUNCTION)}]", run.group()):
            for length in range(2, min(_MAX_NGRAM, len(piece)) + 1):
                for start in range(len(piece) - length + 1):
                    yield piece[start : start + length]
