"""What the offline generator knows of each language, and which language a text is in.

A language is a value: word lists from `lexicon`, rules for definitions from `rules`. A text in another
language gets `OTHER`: no definitions by verbs, and short words count as function words.
"""

from collections import Counter
from dataclasses import dataclass

from card_generation.generation.offline import lexicon, rules
from card_generation.generation.offline.rules import DefinitionRule, Phrases
from card_generation.generation.offline.words import is_cjk, words

_SAMPLE_LENGTH = 20_000
_FEWEST_HITS = 2
_SHORT_WORD = 3


@dataclass(frozen=True, slots=True)
class Language:
    """A language's words, habits and rules."""

    code: str
    phrases: Phrases
    definitions: tuple[DefinitionRule, ...] = ()
    stopwords: frozenset[str] = frozenset()
    abbreviations: frozenset[str] = lexicon.COMMON_ABBREVIATIONS
    dependent_starts: frozenset[str] = frozenset()
    vague_subjects: frozenset[str] = frozenset()
    articles: frozenset[str] = frozenset()
    ordinal_period: bool = False
    capital_nouns: bool = False
    spaced: bool = True

    def is_stopword(self, word: str) -> bool:
        """Say whether a word carries no meaning of its own."""
        folded = word.casefold()
        if self.stopwords:
            return folded in self.stopwords
        return len(folded) <= _SHORT_WORD and not folded.isdigit()


def _european(code: str, *, ordinal_period: bool = False, capital_nouns: bool = False) -> Language:
    return Language(
        code=code,
        phrases=rules.PHRASES[code],
        definitions=rules.DEFINITIONS[code],
        stopwords=lexicon.STOPWORDS[code],
        abbreviations=lexicon.COMMON_ABBREVIATIONS | lexicon.ABBREVIATIONS[code],
        dependent_starts=lexicon.DEPENDENT_STARTS[code],
        vague_subjects=lexicon.VAGUE_SUBJECTS[code],
        articles=lexicon.ARTICLES[code],
        ordinal_period=ordinal_period,
        capital_nouns=capital_nouns,
    )


ENGLISH = _european("en")
GERMAN = _european("de", ordinal_period=True, capital_nouns=True)
FRENCH = _european("fr")
SPANISH = _european("es")
ITALIAN = _european("it")
CHINESE = Language(
    "zh",
    rules.PHRASES["zh"],
    rules.DEFINITIONS["zh"],
    dependent_starts=lexicon.DEPENDENT_STARTS["zh"],
    spaced=False,
)
JAPANESE = Language(
    "ja",
    rules.PHRASES["ja"],
    rules.DEFINITIONS["ja"],
    dependent_starts=lexicon.DEPENDENT_STARTS["ja"],
    spaced=False,
)
OTHER = Language("other", rules.PHRASES["other"])

_BY_STOPWORDS = (ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN)


def detect_language(text: str) -> Language:
    """Tell the language of a text by its script and its function words."""
    sample = text[:_SAMPLE_LENGTH]
    if is_cjk(sample):
        kana = sum(1 for character in sample if "\u3040" <= character <= "\u30ff")
        return JAPANESE if kana * 10 > len(sample) else CHINESE
    counts = Counter(word.casefold() for word, _ in words(sample))
    hits = {language.code: sum(counts[word] for word in language.stopwords) for language in _BY_STOPWORDS}
    best = max(_BY_STOPWORDS, key=lambda language: hits[language.code])
    enough = hits[best.code] >= max(_FEWEST_HITS, counts.total() // 10)
    return best if enough else OTHER
