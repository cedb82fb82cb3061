"""Cuts a block of running text into sentences.

A full stop ends a sentence unless it belongs to an abbreviation, an initial, a number, an ordinal
(in languages that write one so) or an address. Scripts with their own full stop need no space after it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from card_generation.generation.model import Span
from card_generation.generation.offline.blocks import split_blocks
from card_generation.generation.offline.languages import Language
from card_generation.generation.offline.lexicon import FINAL_ABBREVIATIONS
from card_generation.generation.offline.words import plain

_CLOSERS = "\"'”’»)]」』）"
_END = re.compile(
    rf"(?P<mark>[.!?…]+|[。！？｡।؟۔]+)(?P<close>[{re.escape(_CLOSERS)}]*|\s[»])(?:\[\d{{1,3}}\])*"
)
_LAST_TOKEN = re.compile(r"[^\s(\[\"'„“«「]*$")
_NEXT_WORD = re.compile(r"\s*[\"'“„«(\[¿¡*_]*(?P<word>[^\W_]+)")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]$")
_JAPANESE_QUOTING = ("と", "って")
_LONGEST_TOKEN = 24


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: where it is, its plain one-line form, and its place in its block."""

    source: Span
    plain: str
    place: int
    block: int


def split_sentences(text: str, language: Language) -> list[Sentence]:
    """List the sentences of a text in order."""
    sentences: list[Sentence] = []
    for number, block in enumerate(split_blocks(text)):
        for place, span in enumerate(_split_block(text, block, language)):
            line = plain(span.of(text))
            if line:
                sentences.append(Sentence(span, line, place, number))
    return sentences


def _split_block(text: str, block: Span, language: Language) -> Iterator[Span]:
    start = block.start
    for match in _END.finditer(text, block.start, block.end):
        if match.start() >= start and _ends_sentence(text, match, block, language):
            yield Span(start, match.end())
            start = match.end()
            while start < block.end and text[start].isspace():
                start += 1
    if start < block.end:
        yield Span(start, block.end)


def _ends_sentence(text: str, match: re.Match[str], block: Span, language: Language) -> bool:
    end, mark = match.end(), match["mark"]
    if end >= block.end:
        return True
    if mark[0] in "。！？｡।؟۔":
        return not (match["close"] and text.startswith(_JAPANESE_QUOTING, end))
    if not text[end].isspace():
        return False
    following = _NEXT_WORD.match(text, end, block.end)
    next_word = following["word"] if following else ""
    if next_word[:1].islower():
        return False
    if mark == ".":
        before = text[max(block.start, match.start() - _LONGEST_TOKEN) : match.start()]
        return not _belongs_to_token(before, next_word, language)
    return True


def _belongs_to_token(before: str, next_word: str, language: Language) -> bool:
    """Say whether the full stop after `before` is part of what is written there."""
    found = _LAST_TOKEN.search(before)
    token = found.group() if found else ""
    begins_sentence = next_word.casefold() in language.stopwords
    if token.casefold() in FINAL_ABBREVIATIONS:
        return not begins_sentence
    if token.casefold() in language.abbreviations:
        return True
    if (len(token) == 1 and token.isupper()) or _DOTTED.match(token):
        return not begins_sentence
    if token.isdigit() and len(token) <= 2:
        # "am 3. Oktober"; elsewhere only the number of a list item that was not on its own line.
        return language.ordinal_period or token == before.strip()
    return False
