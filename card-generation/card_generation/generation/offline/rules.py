"""How the known languages define a term, as patterns, and how each asks for it.

A pattern is matched against a whole plain sentence. Its groups are `term` and `definition`, and the
ones that its question names. A rule that asks for the term (`asks_term`) has the term as its answer.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DefinitionRule:
    """A way to define, and the question that asks for it."""

    pattern: re.Pattern[str]
    question: str
    asks_term: bool = False
    loose: bool = False
    """The verb alone does not make a definition; what follows must look like a description."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """Questions that do not depend on how a sentence is built."""

    meaning: str
    alias: str
    stands_for: str
    alias_mark: str | None = None
    """Pattern of what stands between a term and another name for it."""
    alias_end: str = ""
    """Pattern of what follows the other name, where that belongs to the mark."""


_TERM = r"(?P<term>[^,;:.!?()\[\]–—]{2,80}?)"
_ASIDE = r"(?:\s*\([^()]{1,80}\))?(?:,[^,.;]{2,80},)?"
_END = r"[.!…]*[\"'”’»)]*$"
_TO_END = rf"(?P<definition>\S.{{7,}}?){_END}"


def _rule(pattern: str, question: str, *, asks_term: bool = False, loose: bool = False) -> DefinitionRule:
    return DefinitionRule(re.compile("^" + pattern), question, asks_term, loose)


def _beginning(opening: str) -> str:
    """A definition that begins with one of the given words."""
    return rf"(?P<definition>(?:{opening})\b.{{7,}}?){_END}"


DEFINITIONS: dict[str, tuple[DefinitionRule, ...]] = {
    "en": (
        _rule(
            rf"(?P<definition>(?:The|An?) [^.;:]{{10,200}}?) (?P<verb>is|are|was|were) "
            rf"(?:called|known as|termed|named) (?P<term>[^,.;:()]{{2,60}}?){_END}",
            "What {verb} {definition} called?",
            asks_term=True,
        ),
        _rule(rf"{_TERM}{_ASIDE} (?:is|are) defined as {_TO_END}", "How is {term} defined?"),
        _rule(rf"{_TERM}{_ASIDE} means (?:that )?{_TO_END}", "What does {term} mean?"),
        _rule(rf"{_TERM}{_ASIDE} refers to {_TO_END}", "What does {term} refer to?"),
        _rule(rf"{_TERM}{_ASIDE} refer to {_TO_END}", "What do {term} refer to?"),
        _rule(
            rf"{_TERM}{_ASIDE} (?P<verb>is|was) " + _beginning(r"an?|the|any|one of|each|every|another name"),
            "{what} {verb} {term}?",
        ),
        _rule(rf"{_TERM}{_ASIDE} (?P<verb>are|were) {_TO_END}", "{what} {verb} {term}?", loose=True),
    ),
    "de": (
        _rule(rf"Unter {_TERM} versteht man {_TO_END}", "Was versteht man unter {term}?"),
        _rule(rf"Als {_TERM} bezeichnet man {_TO_END}", "Was bezeichnet man als {term}?"),
        _rule(rf"{_TERM}{_ASIDE} bedeutet {_TO_END}", "Was bedeutet {term}?"),
        _rule(rf"{_TERM}{_ASIDE} bezeichnet {_TO_END}", "Was bezeichnet {term}?"),
        _rule(
            rf"{_TERM}{_ASIDE} (?P<verb>ist|sind) "
            + _beginning("ein|eine|einer|eines|der|die|das|jede|jeder|jedes"),
            "Was {verb} {term}?",
        ),
        _rule(
            rf"{_TERM}{_ASIDE} (?P<verb>war|waren) " + _beginning("ein|eine|einer|eines|der|die|das"),
            "Wer oder was {verb} {term}?",
        ),
    ),
    "fr": (
        _rule(
            rf"On appelle {_TERM} {_beginning('un|une|le|la|les|l|tout|toute')}",
            "Qu'appelle-t-on {term} ?",
        ),
        _rule(rf"{_TERM}{_ASIDE} désigne {_TO_END}", "Que désigne {term} ?"),
        _rule(rf"{_TERM}{_ASIDE} signifie {_TO_END}", "Que signifie {term} ?"),
        _rule(
            rf"{_TERM}{_ASIDE} (?:est|sont) " + _beginning("un|une|le|la|les|l|des"),
            "Qu'est-ce que {term} ?",
        ),
    ),
    "es": (
        _rule(rf"{_TERM}{_ASIDE} significa {_TO_END}", "¿Qué significa {term}?"),
        _rule(rf"{_TERM}{_ASIDE} se refiere a {_TO_END}", "¿A qué se refiere {term}?"),
        _rule(
            rf"{_TERM}{_ASIDE} (?P<verb>es|son) " + _beginning("un|una|unos|unas|el|la|los|las|cada"),
            "¿Qué {verb} {term}?",
        ),
        _rule(rf"{_TERM}{_ASIDE} fue " + _beginning("un|una|el|la"), "¿Quién o qué fue {term}?"),
    ),
    "it": (
        _rule(rf"{_TERM}{_ASIDE} significa {_TO_END}", "Che cosa significa {term}?"),
        _rule(rf"{_TERM}{_ASIDE} indica {_TO_END}", "Che cosa indica {term}?"),
        _rule(rf"{_TERM}{_ASIDE} è " + _beginning("un|uno|una|il|lo|la|l|ogni"), "Che cos'è {term}?"),
        _rule(
            rf"{_TERM}{_ASIDE} sono " + _beginning("dei|degli|delle|i|gli|le"),
            "Che cosa sono {term}?",
        ),
        _rule(
            rf"{_TERM}{_ASIDE} fu " + _beginning("un|uno|una|il|lo|la|l"),
            "Chi o che cosa fu {term}?",
        ),
    ),
    "zh": (
        _rule(
            r"(?P<term>[^，。、；：？！“”‘’（）\s是]{2,12})(?:（[^（）]{1,30}）)?(?:是指|指的是|就是)(?P<definition>.{4,}?)[。！]*$",
            "{term}是什么？",
        ),
        _rule(
            r"(?P<term>[^，。、；：？！“”‘’（）\s是不也都就还只]{2,12})(?:（[^（）]{1,30}）)?是(?P<definition>(?:[一种个位座条类].{4,}?|.{2,}的一[种个类].{1,}?))[。！]*$",
            "{term}是什么？",
        ),
    ),
    "ja": (
        _rule(
            r"「?(?P<term>[^、。，「」（）\s]{1,20}?)」?(?:（[^（）]{1,30}）)?とは、?(?P<definition>.{4,}?)(?:のことである|のことです|のこと|である|です|をいう|を指す)?[。！]*$",
            "{term}とは何か。",
        ),
        _rule(
            r"(?P<term>[^、。，「」（）\sはがをにで]{2,20})(?:（[^（）]{1,30}）)?は、?(?P<definition>[^。]{6,}?)(?:である|です|であった|でした)[。！]*$",
            "{term}とは何か。",
        ),
    ),
}

PHRASES: dict[str, Phrases] = {
    "en": Phrases(
        "What does “{term}” mean?",
        "What is another name for {term}?",
        "What does “{term}” stand for?",
        r"(?:also|sometimes|often|commonly|formerly)(?: \w+ly)? "
        r"(?:called|known as|named|referred to as|termed)",
    ),
    "de": Phrases(
        "Was bedeutet „{term}“?",
        "Wie heißt {term} noch?",
        "Wofür steht „{term}“?",
        r"(?:auch|manchmal|früher)(?: bekannt als)?",
        r"(?: genannt)?",
    ),
    "fr": Phrases(
        "Que signifie « {term} » ?",
        "Quel est l'autre nom de « {term} » ?",
        "Que signifie le sigle « {term} » ?",
        r"(?:aussi|également|parfois) (?:appelée?s?|nommée?s?|connue?s? sous le nom de)",
    ),
    "es": Phrases(
        "¿Qué significa «{term}»?",
        "¿Con qué otro nombre se conoce «{term}»?",
        "¿Qué significan las siglas «{term}»?",
        r"(?:también|a veces) (?:llamad[oa]s?|conocid[oa]s? como|denominad[oa]s?)",
    ),
    "it": Phrases(
        "Che cosa significa «{term}»?",
        "Con quale altro nome è noto «{term}»?",
        "Per che cosa sta la sigla «{term}»?",
        r"(?:anche|talvolta) (?:chiamat[oaie]|dett[oaie]|not[oaie] come)",
    ),
    "zh": Phrases(
        "“{term}”是什么意思？",
        "“{term}”的别名是什么？",
        "“{term}”代表什么？",
        r"又称为?|也称为?|又叫做?|也叫做?",
    ),
    "ja": Phrases("「{term}」とは何か。", "「{term}」の別名は何か。", "「{term}」は何の略か。"),
    "other": Phrases("{term}: ?", "{term} = ?", "{term} = ?"),
}
