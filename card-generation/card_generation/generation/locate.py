"""Finds a quotation in the text it was taken from, and says where, in code points.

A quotation may differ from the text in white space, in the form of quotation marks and dashes, and
in whether accents are composed; in nothing else. What is not found has no position: none is guessed.
"""

import unicodedata

from card_generation.generation.model import Span

_PLAIN = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "‛": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "−": "-",
    }
)


class QuoteFinder:
    """Looks quotations up in one text, which is folded once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded, self._spans = _fold(text)

    def find(self, quote: str, after: int = 0) -> Span | None:
        """Find the quotation, first from the position `after` on, then anywhere."""
        quote = quote.strip()
        if not quote:
            return None
        for start in (self._text.find(quote, after), self._text.find(quote)):
            if start >= 0:
                return Span(start, start + len(quote))
        return self._find_folded(_fold(quote)[0])

    def _find_folded(self, quote: str) -> Span | None:
        start = self._folded.find(quote)
        if start < 0:
            return None
        return Span(self._spans[start].start, self._spans[start + len(quote) - 1].end)


def _fold(text: str) -> tuple[str, list[Span]]:
    """Reduce a text to the form in which quotations are compared, with the origin of each character."""
    characters: list[str] = []
    spans: list[Span] = []
    start = 0
    while start < len(text):
        end = start + 1
        if text[start].isspace():
            while end < len(text) and text[end].isspace():
                end += 1
            folded = " "
        else:
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            folded = unicodedata.normalize("NFC", text[start:end]).translate(_PLAIN)
        characters.extend(folded)
        spans.extend([Span(start, end)] * len(folded))
        start = end
    return "".join(characters), spans
