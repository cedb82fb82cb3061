"""Words of a text, in any script that separates them, and the plain form of a piece of text.

A word keeps its combining marks, so that a decomposed accent or a vowel sign never splits it.
"""

import re
import unicodedata
from collections.abc import Iterator

from card_generation.generation.model import Span

_PLANES_WITH_MARKS = 0x20000


def _mark_ranges() -> str:
    """Write all combining marks as ranges for a character class; `\\w` does not hold them."""
    ranges: list[list[int]] = []
    for code in range(_PLANES_WITH_MARKS):
        if unicodedata.category(chr(code)) in ("Mn", "Mc", "Me"):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)


_MARKS = _mark_ranges()
_PART = rf"(?:[^\W_][{_MARKS}\u200c\u200d]*)+"
_WORD = re.compile(rf"\d+(?:[.,]\d+)+|{_PART}(?:['’\-‐‑·]{_PART})*")

_EMPHASIS = re.compile(r"\*\*|__|`")
_FOOTNOTE = re.compile(r"\[\d{1,3}\]")
_LINK = re.compile(r"!?\[([^\[\]]+)\]\([^()\s]*\)")

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts that are written without spaces: the inside of a character class."""

_CJK = re.compile(f"[{CJK}]")


def words(text: str) -> Iterator[tuple[str, Span]]:
    """Go through the words of a text."""
    for match in _WORD.finditer(text):
        yield match.group(), Span(match.start(), match.end())


def plain(text: str) -> str:
    """Write a piece of text in one line, without Markdown's emphasis and links and footnote marks."""
    text = _LINK.sub(r"\1", text)
    text = _FOOTNOTE.sub("", text)
    text = _EMPHASIS.sub("", text)
    return " ".join(text.split())


def is_cjk(text: str) -> bool:
    """Say whether most letters of a text are of a script without spaces."""
    letters = sum(1 for character in text if character.isalpha())
    return letters > 0 and len(_CJK.findall(text)) * 2 > letters
