"""Looking quotations up: exact offsets, or none."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from card_generation.generation.locate import QuoteFinder


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("😀 Water is wet.", "Water is wet.", "Water is wet."),
        ("Water\n  is wet.", "Water is wet.", "Water\n  is wet."),
        ("He said “yes” — twice.", 'said "yes" - twice', "said “yes” — twice"),
        ("The cafe\u0301 is old.", "The café is old.", "The cafe\u0301 is old."),
        ("The café is old.", "cafe\u0301 is", "café is"),
        ("光合作用很重要。", "作用很", "作用很"),
    ],
)
def test_found(text: str, quote: str, found: str) -> None:
    span = QuoteFinder(text).find(quote)
    assert span is not None
    assert span.of(text) == found


@pytest.mark.parametrize("quote", ["", "  ", "Water is dry.", "water is wet.", "Water is wet. And"])
def test_not_found(quote: str) -> None:
    assert QuoteFinder("Water is wet.").find(quote) is None


def test_a_later_occurrence_is_preferred_after_a_position() -> None:
    finder = QuoteFinder("one two one")
    assert [span.start for span in (finder.find("one"), finder.find("one", 3)) if span] == [0, 8]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(alphabet="aé\u0301😀光 \n“-", min_size=1, max_size=40), st.data())
def test_every_part_of_a_text_is_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = text[start:end]
    span = QuoteFinder(text).find(quote)
    assert (span is None) == (not quote.strip())
    if span is not None:
        assert span.of(text) == quote.strip()


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    st.text(alphabet="aé\u0301😀光 \n“-", min_size=1, max_size=30), st.text(alphabet='aé \n"-', max_size=10)
)
def test_what_is_found_reads_the_same(text: str, quote: str) -> None:
    span = QuoteFinder(text).find(quote)
    if span is not None:
        assert _readable(span.of(text)) == _readable(quote)


def _readable(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split())).replace("“", '"')
