"""Makes question and answer cards from sentences that define something.

Four kinds are found: a sentence built as a definition, a line of a glossary, another name for a
term, and what an abbreviation stands for. A subject that only makes sense after the sentence before
it ("This process is …", "The result was …") makes no card.
"""

import re
from collections.abc import Iterator

from card_generation.generation.model import Draft
from card_generation.generation.offline import lexicon
from card_generation.generation.offline.blocks import GLOSSARY
from card_generation.generation.offline.casing import Casing, capitalised
from card_generation.generation.offline.languages import Language
from card_generation.generation.offline.rules import DefinitionRule
from card_generation.generation.offline.sentences import Sentence

_MAX_TERM_WORDS = 7
_MAX_ANSWER = 400
_LOOK_BACK = 200
_MIN_GLOSSARY_ANSWER = 8
_MAX_GLOSSARY_WORDS = 5
_TERM_LINKS = frozenset("of and for in de del du des di et y e und von".split())
_ASIDE = re.compile(r"^(?:which|who|but|and|or)\b|\s[–—]\s")
_ABBREVIATION = re.compile(r"\((?P<abbreviation>[A-ZÄÖÜ][A-Za-zÄÖÜäöü]{0,2}[A-ZÄÖÜ]{1,4})s?\)")
_CLAUSE_WORDS = frozenset(
    """that which who whom whose when where if because while although but not dass weil wenn qui que dont
    che porque cuando""".split()
)
_NO_DESCRIPTION = frozenset(
    """not very more less also often usually always never now still already mostly mainly all both the same
    such so too as in on at from about among able likely common rare important known called used found made
    about around nearly almost equal similar different present visible""".split()
)
_DESCRIBES = re.compile(
    r"\b(?:that|which|who|whose|where|of|with|used|made|for|containing|consisting|by|in)\b"
)


def find_definition(sentence: Sentence, language: Language, casing: Casing) -> Draft | None:
    """Make the card of a sentence that says what something is."""
    return _glossary(sentence, language) or _by_rule(sentence, language, casing)


def find_names(sentence: Sentence, language: Language, casing: Casing) -> Iterator[Draft]:
    """Make the cards about names: what else a thing is called, what an abbreviation stands for."""
    alias = _alias(sentence, language, casing)
    if alias is not None:
        yield alias
    yield from _abbreviations(sentence, language)


def _by_rule(sentence: Sentence, language: Language, casing: Casing) -> Draft | None:
    for rule in language.definitions:
        match = rule.pattern.match(sentence.plain)
        if match is None:
            continue
        draft = _draft(rule, match, sentence, language, casing)
        if draft is not None:
            return draft
    return None


def _draft(
    rule: DefinitionRule,
    match: re.Match[str],
    sentence: Sentence,
    language: Language,
    casing: Casing,
) -> Draft | None:
    term, definition = match["term"].strip(), match["definition"].strip()
    if len(definition) > _MAX_ANSWER:
        return None
    if rule.asks_term:
        if not _stands_alone(definition, language, max_words=40):
            return None
        groups = {**match.groupdict(), "definition": casing.inside(definition)}
        return Draft(rule.question.format(**groups), capitalised(term), sentence.source)
    if not _stands_alone(term, language) or (rule.loose and not _describes(definition)):
        return None
    groups = {
        **match.groupdict(),
        "term": casing.inside(term),
        "what": _interrogative(definition),
    }
    return Draft(rule.question.format(**groups), capitalised(definition), sentence.source)


def _stands_alone(phrase: str, language: Language, max_words: int = _MAX_TERM_WORDS) -> bool:
    """Say whether a subject is clear without the sentences before it."""
    if not language.spaced:
        return not any(phrase.startswith(start) for start in language.dependent_starts)
    parts = phrase.casefold().split()
    if not parts or len(parts) > max_words:
        return False
    if parts[0] in language.dependent_starts or parts[0] in lexicon.PREPOSITIONS:
        return False
    heads = [part for part in parts if part not in language.articles]
    if not heads or heads[0] in language.vague_subjects:
        return False
    if max_words == _MAX_TERM_WORDS and not _CLAUSE_WORDS.isdisjoint(parts):
        return False
    return any(character.isalpha() for character in phrase)


def _describes(definition: str) -> bool:
    """Say whether what follows "are" tells what the things are, not only how they are."""
    first = definition.split()[0].casefold().strip(",;")
    if first in _NO_DESCRIPTION or first.endswith(("ed", "ing", "ly")) or first[0].isdigit():
        return False
    return _DESCRIBES.search(definition) is not None


def _interrogative(definition: str) -> str:
    """Choose "Who" for a person, "What" for anything else (used by English rules)."""
    head = re.split(r"\b(?:of|that|which|who|in|from|by|for|with)\b|[,;]", definition, maxsplit=1)[0]
    is_person = not lexicon.PERSON_NOUNS.isdisjoint(head.casefold().split())
    return "Who" if is_person else "What"


def _glossary(sentence: Sentence, language: Language) -> Draft | None:
    """Read a line such as "Osmosis: the movement of water …"."""
    match = GLOSSARY.match(sentence.plain)
    if match is None or sentence.place > 0:
        return None
    term, definition = match["term"].strip(), sentence.plain[match.end() :].strip()
    if not _MIN_GLOSSARY_ANSWER <= len(definition) <= _MAX_ANSWER:
        return None
    if any(character.isdigit() for character in term) or not _stands_alone(term, language):
        return None
    if language.spaced and not _is_glossary_term(term, language):
        return None
    if definition[0] in '"“„«' or _ASIDE.search(definition):
        return None
    answer = capitalised(definition.rstrip(".。"))
    return Draft(language.phrases.meaning.format(term=term), answer, sentence.source)


def _is_glossary_term(term: str, language: Language) -> bool:
    """Say whether this is a noun phrase, as far as function words tell."""
    parts = term.casefold().split()
    function_words = {part for part in parts if language.is_stopword(part)}
    allowed = language.articles | _TERM_LINKS
    return len(function_words) < len(parts) <= _MAX_GLOSSARY_WORDS and function_words <= allowed


def _alias(sentence: Sentence, language: Language, casing: Casing) -> Draft | None:
    """Read "X, also called Y, …"."""
    mark = language.phrases.alias_mark
    if mark is None:
        return None
    match = re.match(
        rf"^(?P<term>[^,，;:.!?()（）]{{2,60}}?)(?:,\s*|，|\s*\(|（)(?:{mark})\s*(?P<alias>[^,，.。;()（）]{{2,60}}?)"
        rf"{language.phrases.alias_end}\s*[,，)）.。]",
        sentence.plain,
    )
    if match is None or not _stands_alone(match["term"], language):
        return None
    question = language.phrases.alias.format(term=casing.inside(match["term"].strip()))
    return Draft(question, capitalised(match["alias"].strip()), sentence.source)


def _abbreviations(sentence: Sentence, language: Language) -> Iterator[Draft]:
    """Read "adenosine triphosphate (ATP)"."""
    for match in _ABBREVIATION.finditer(sentence.plain):
        abbreviation = match["abbreviation"]
        meaning = _spelled_out(
            sentence.plain[max(0, match.start() - _LOOK_BACK) : match.start()], abbreviation
        )
        if meaning is not None:
            question = language.phrases.stands_for.format(term=abbreviation)
            yield Draft(question, capitalised(meaning), sentence.source)


def _spelled_out(before: str, abbreviation: str) -> str | None:
    """Find the shortest run of words before the bracket that the abbreviation can be short for."""
    parts = before.split()
    letters = abbreviation.casefold()
    for count in range(1, min(len(letters) + 2, len(parts)) + 1):
        phrase = " ".join(parts[-count:])
        folded = phrase.casefold()
        if folded.startswith(letters[0]) and _is_subsequence(letters, folded):
            return phrase if len(phrase) > len(abbreviation) else None
    return None


def _is_subsequence(letters: str, phrase: str) -> bool:
    rest = iter(phrase)
    return all(letter in rest for letter in letters)
