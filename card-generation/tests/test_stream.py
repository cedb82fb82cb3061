"""Finding whole cards in half a text: whatever the text and wherever it is cut."""

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from card_generation.generation.stream import MAX_CARD_LENGTH, CardScanner

texts = st.text(max_size=30) | st.sampled_from(["}", '"', "\\", "{", "e\u0301 👩‍🔬", '"cards": ['])
items = st.dictionaries(texts, texts | st.dictionaries(texts, texts, max_size=2), max_size=4)


def scan(text: str, cuts: list[int]) -> list[Any]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    scanner = CardScanner()
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    return [item for piece in pieces for item in scanner.feed(piece)]


@given(cards=st.lists(items, max_size=6), cuts=st.lists(st.integers(0, 10_000)), ascii_only=st.booleans())
def test_every_card_is_found_however_the_text_is_cut(
    cards: list[Any], cuts: list[int], ascii_only: bool
) -> None:
    assert scan(json.dumps({"cards": cards}, ensure_ascii=ascii_only), cuts) == cards


@given(text=st.text() | st.text(alphabet='{}[]",:cards0 '), cuts=st.lists(st.integers(0, 10_000)))
def test_no_text_makes_it_fail(text: str, cuts: list[int]) -> None:
    scan(text, cuts)
    scan('{"cards": [' + text, cuts)


def test_a_card_without_an_end_is_not_waited_for() -> None:
    scanner = CardScanner()
    assert list(scanner.feed('{"cards": [{"question": "')) == []
    assert list(scanner.feed("a" * MAX_CARD_LENGTH)) == []
    assert list(scanner.feed('"}, {"a": "b"}')) == []
    deep = CardScanner()
    assert list(deep.feed('{"cards": [' + '{"a":' * 9_000 + "}")) == []
