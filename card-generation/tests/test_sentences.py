"""Sentence splitting: abbreviations, numbers, lists, headings, wrapped lines, several scripts."""

import pytest

from card_generation.generation.offline.languages import detect_language
from card_generation.generation.offline.sentences import split_sentences


def split(text: str) -> list[str]:
    return [sentence.plain for sentence in split_sentences(text, detect_language(text))]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith of St. Paul saw it.", "He wrote it down."],
        ["The value of pi is about 3.14 and not 3.", "That is known."],
        ["Use a solvent, e.g. water, i.e. the usual one.", "Then stir it."],
        ["J. S. Bach was born in 1685.", "The town was Eisenach."],
        ["The treaty of the U.S. Army was signed.", "It is old."],
        ["They had bread, wine, etc.", "The feast was long."],
        ["He needs vitamin C.", "The body cannot make it."],
        ['"Why did it spread?" asked the chroniclers.', "They had no answer."],
        ["Is it so?", "It is!", "The end…"],
        ["See the page at example.org/a.b for the details.", "It is long."],
        ["Am 3. Oktober 1990 war es so weit.", "Der 19. Band ist z. B. nicht dabei."],
        ["M. Pasteur est né à Dole.", "Il est mort en 1895."],
        ["El Sr. Cajal es de Navarra.", "Fue médico."],
    ],
)
def test_sentences_end_where_they_should(sentences: list[str]) -> None:
    assert split(" ".join(sentences)) == sentences


def test_scripts_without_spaces() -> None:
    assert split("光合作用很重要。叶子是绿色的！为什么？") == [
        "光合作用很重要。",
        "叶子是绿色的！",
        "为什么？",
    ]
    assert split("「なぜか。」と彼は言った。それは夏だった。") == [
        "「なぜか。」と彼は言った。",
        "それは夏だった。",
    ]


def test_other_full_stops() -> None:
    assert split("यह एक वाक्य है। यह दूसरा है।") == ["यह एक वाक्य है।", "यह दूसरा है।"]


def test_headings_code_and_tables_are_left_out() -> None:
    text = (
        "# Title\n\nChapter one\n\nWater is wet.\n\n```\nlet it = be;\n```\n\n"
        "| a | b |\n|---|---|\n\nTitle two\n=========\n\nIce is cold.\n"
    )
    assert split(text) == ["Water is wet.", "Ice is cold."]


def test_wrapped_lines_are_one_sentence_and_list_items_are_not() -> None:
    text = (
        "This sentence was wrapped at\na margin by an editor of\ntexts.\n\n"
        "- first item\n- second item\n1. third"
    )
    assert split(text) == [
        "This sentence was wrapped at a margin by an editor of texts.",
        "first item",
        "second item",
        "third",
    ]


def test_markdown_and_footnotes_do_not_reach_the_plain_form() -> None:
    text = "The **cell** is a `unit`.[12] See [the page](https://example.org/x) for more."
    assert split(text) == ["The cell is a unit.", "See the page for more."]


def test_crlf_and_offsets() -> None:
    text = "  Water is wet.\r\n\r\n\tIce is cold.  \r\n"
    sentences = split_sentences(text, detect_language(text))
    assert [s.source.of(text) for s in sentences] == ["Water is wet.", "Ice is cold."]
