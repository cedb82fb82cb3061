"""Cuts a text into blocks of running text: paragraphs, list items, lines of a glossary.

Headings, tables and code are left out, for they are no sentences. Lines that were only wrapped at a
margin stay together; a block is a range of the text, so offsets need no translation.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from card_generation.generation.model import Span

_BULLET = re.compile(r"\s*(?:[-*+•‣◦▪–—]|\(?\d{1,3}[.)]|\(?[a-zA-Z]\))\s+(?=\S)")
_MARKDOWN_HEADING = re.compile(r"\s*#{1,6}\s")
_RULE = re.compile(r"\s*(?:={3,}|-{3,}|\*{3,}|_{3,})\s*$")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_TABLE = re.compile(r"\s*\|")
_NO_TEXT = (_TABLE, _MARKDOWN_HEADING, _RULE)
_SENTENCE_END = re.compile(r"[.!?…。！？।؟۔][\"'”’»)\]」』）]*\s*$")
_SENTENCE_MARK = re.compile(r"[.!?…][\"'”’»)\]]*(?:\s|$)|[。！？।؟۔]")
_OPEN_END = re.compile(r"[,;:(\-–—、，]\s*$")
GLOSSARY = re.compile(
    r"\s*(?P<term>[^\s:：.!?;,–—][^:：.!?;,–—\n]{0,60}?)(?P<mark>\s*[:：](?=\s)|\s*：|\s+[–—-](?=\s))"
)
"""How a line of a glossary begins: a term, then a colon or a dash."""

_HEADING_MAX_WORDS = 12
_HEADING_MAX_LENGTH = 100
_SHORT_LINE = 0.6


def split_blocks(text: str) -> Iterator[Span]:
    """Go through the blocks of a text in order."""
    for paragraph in _paragraphs(text):
        for block in _divide(text, paragraph):
            if not _is_heading(text, block):
                span = _trim(text, Span(_content_start(text, block[0]), block[-1].end))
                if span.start < span.end:
                    yield span


def _paragraphs(text: str) -> Iterator[list[Span]]:
    """Group lines that follow each other without an empty line, and drop what is not running text."""
    lines: list[Span] = []
    in_code = False
    start = 0
    for line in text.splitlines(keepends=True):
        span = Span(start, start + len(line))
        start = span.end
        if _FENCE.match(line):
            in_code = not in_code
        elif _RULE.match(line) and len(lines) == 1:
            lines = []  # an underlined heading
        elif line.strip() and not in_code and not any(mark.match(line) for mark in _NO_TEXT):
            lines.append(span)
            continue
        if lines:
            yield lines
        lines = []
    if lines:
        yield lines


def _divide(text: str, lines: list[Span]) -> Iterator[list[Span]]:
    """Divide a paragraph where a line begins something new."""
    longest = max(line.end - line.start for line in lines)
    block = [lines[0]]
    for before, line in pairwise(lines):
        if _begins_block(before.of(text), line.of(text), longest):
            yield block
            block = []
        block.append(line)
    yield block


def _begins_block(before: str, line: str, longest: int) -> bool:
    if _BULLET.match(line):
        return True
    ended = _SENTENCE_END.search(before) is not None
    if GLOSSARY.match(line) and (ended or GLOSSARY.match(before)):
        return True
    short = len(before) < _SHORT_LINE * longest
    return short and not ended and not _OPEN_END.search(before) and not line.lstrip()[:1].islower()


def _content_start(text: str, line: Span) -> int:
    bullet = _BULLET.match(text, line.start, line.end)
    if bullet:
        return bullet.end()
    start = line.start
    while start < line.end and (text[start].isspace() or text[start] == ">"):
        start += 1
    return start


def _is_heading(text: str, block: list[Span]) -> bool:
    if len(block) > 1:
        return False
    line = block[0].of(text)
    return not (
        _BULLET.match(line)
        or GLOSSARY.match(line)
        or _SENTENCE_MARK.search(line)
        or len(line) > _HEADING_MAX_LENGTH
        or len(line.split()) > _HEADING_MAX_WORDS
    )


def _trim(text: str, span: Span) -> Span:
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
