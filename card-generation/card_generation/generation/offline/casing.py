"""Decides how a phrase from the beginning of a sentence is written inside another one.

"Photosynthesis is …" becomes "What is photosynthesis?", but "Napoleon was …" keeps its capital: what
the rest of the text does with the word decides, then the form of the word.
"""

import re

from card_generation.generation.offline.languages import Language
from card_generation.generation.offline.words import words

_COMMON_ENDINGS = (
    "sis",
    "tion",
    "sion",
    "ism",
    "ment",
    "ity",
    "logy",
    "phy",
    "ics",
    "ness",
    "ance",
    "ence",
    "ure",
    "gen",
    "ase",
    "phyll",
    "ship",
    "hood",
    "some",
    "cracy",
    "archy",
    "omy",
    "tude",
    "age",
    "ymes",
    "oids",
    "ids",
    "cles",
    "ules",
    "eins",
    "ants",
    "ists",
    "isms",
    "ies",
    "ates",
    "ions",
    "ers",
)
_SENTENCE_OPENERS = re.compile(r"(?:^|[.!?…:]\s+|[\n\r]\s*|[\"“„«(]\s*|[#>*•\-–—]\s*)$")
_LOOK_BACK = 4


class Casing:
    """What one text tells about the capitals of its words."""

    def __init__(self, text: str, language: Language) -> None:
        self._language = language
        self._lower: set[str] = set()
        self._capital: set[str] = set()
        for word, span in words(text):
            if word[:1].islower():
                self._lower.add(word.casefold())
            elif not _SENTENCE_OPENERS.search(text[max(0, span.start - _LOOK_BACK) : span.start]):
                self._capital.add(word.casefold())

    def is_name(self, word: str) -> bool:
        """Say whether a word is always written with a capital in this text."""
        folded = word.casefold()
        return folded in self._capital and folded not in self._lower

    def inside(self, phrase: str) -> str:
        """Write the phrase as it stands inside a sentence."""
        first, space, rest = phrase.partition(" ")
        if first.casefold() in self._language.articles:
            return first.lower() + space + rest
        if self._language.capital_nouns or not self._is_common(first, rest):
            return phrase
        return first[:1].lower() + first[1:] + space + rest

    def _is_common(self, word: str, rest: str) -> bool:
        if word[1:] != word[1:].lower() or self.is_name(word):
            return False
        folded = word.casefold()
        if folded in self._lower or self._language.is_stopword(word):
            return True
        if any(part[:1].isupper() for part in rest.split()):
            return False
        return folded.endswith(_COMMON_ENDINGS) or folded.removesuffix("s") in self._lower


def capitalised(phrase: str) -> str:
    """Begin an answer with a capital, except where the first word has its own form, as in "mRNA"."""
    first = phrase.split(" ", 1)[0]
    if any(character.isupper() for character in first):
        return phrase
    return phrase[:1].upper() + phrase[1:]
