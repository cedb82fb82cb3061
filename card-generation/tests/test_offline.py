"""The offline generator: the cards it makes of real paragraphs, and properties that hold for any text."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from card_generation.generation.model import Draft, Generation, GenerationRequest, Reject, Span
from card_generation.generation.offline.cloze import BLANK
from card_generation.generation.offline.generator import extract
from card_generation.generation.offline.words import plain
from card_generation.limits import MAX_ANSWER_LENGTH, MAX_CARDS, MAX_QUESTION_LENGTH, MAX_TEXT_LENGTH
from tests.texts import BIOLOGY, HISTORY


def make(text: str, max_cards: int = MAX_CARDS, focus: Span | None = None) -> Generation:
    return extract(GenerationRequest(text, max_cards, focus))


def pairs(text: str) -> dict[str, str]:
    return {draft.question: draft.answer for draft in make(text).drafts}


def assert_sound(text: str, drafts: list[Draft]) -> None:
    """Check what holds for every card of every text."""
    for draft in drafts:
        source = draft.source.of(text)
        assert 0 <= draft.source.start < draft.source.end <= len(text)
        assert source == source.strip()
        assert 0 < len(draft.question) <= MAX_QUESTION_LENGTH
        assert 0 < len(draft.answer) <= MAX_ANSWER_LENGTH
        if BLANK in draft.question:
            assert draft.question.replace(BLANK, draft.answer) == plain(source)
        else:
            assert draft.answer.casefold() in plain(source).casefold()
    questions = [draft.question.casefold() for draft in drafts]
    assert len(set(questions)) == len(questions)
    assert [d.source for d in drafts] == sorted(d.source for d in drafts)


def test_biology() -> None:
    cards = pairs(BIOLOGY)
    assert cards["What is photosynthesis?"] == (
        "The process by which green plants, algae and some bacteria turn light into chemical energy"
    )
    assert cards["What does “ATP” stand for?"] == "Adenosine triphosphate"
    assert cards["What is another name for the Calvin cycle?"] == "The dark reactions"
    assert cards["What are enzymes?"].startswith("Proteins that speed up")
    assert cards["What is the molecule on which an enzyme acts called?"] == "The substrate"
    assert cards["What does “Osmosis” mean?"].startswith("The movement of water")
    assert cards["What does “Mitosis” mean?"].startswith("The division of a cell nucleus")
    assert any(BLANK in question for question in cards)
    assert_sound(BIOLOGY, make(BIOLOGY).drafts)


def test_history() -> None:
    cards = pairs(HISTORY)
    assert cards["What was the Congress of Vienna?"].startswith("A meeting of European statesmen")
    assert cards["Who was Napoleon Bonaparte?"] == "A French general who crowned himself emperor in 1804"
    assert cards["What does “EEC” stand for?"] == "European Economic Community"
    cloze = "The European Economic Community (EEC) was founded in 1957 by the [...]."
    assert cards[cloze] == "Treaties of Rome"
    assert_sound(HISTORY, make(HISTORY).drafts)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Karl Marx and Friedrich Engels published the Manifesto.", "Karl Marx and Friedrich Engels"),
        ("Between 1801 and 1851 the population of Manchester grew very much.", "Manchester"),
        ("The Black Death killed a third of all people between 1347 and 1351.", "Black Death"),
        ("The town and its church were burned to the ground in 1631.", "1631"),
        ("1868年の明治維新によって、江戸幕府は終わり、新しい政府が成立した。", "明治維新"),
        ("Am 3. Oktober 1990 trat die Republik dem Bund bei.", "Republik"),
    ],
)
def test_what_a_cloze_card_asks_for(text: str, answer: str) -> None:
    assert list(pairs(text).values()) == [answer]


def test_sentences_that_lean_on_others_make_no_card() -> None:
    questions = " ".join(pairs(HISTORY))
    for dependent in ("Its aim", "He escaped", "the result"):
        assert dependent not in questions


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (
            "Die Photosynthese ist ein Prozess, bei dem Pflanzen Licht umwandeln. Sie ist wichtig.",
            "Was ist die Photosynthese?",
            "Ein Prozess, bei dem Pflanzen Licht umwandeln",
        ),
        (
            "Unter Osmose versteht man die Wanderung von Wasser durch eine Membran.",
            "Was versteht man unter Osmose?",
            "Die Wanderung von Wasser durch eine Membran",
        ),
        (
            "Das Chlorophyll, auch Blattgrün genannt, ist ein Farbstoff der Pflanzen.",
            "Wie heißt das Chlorophyll noch?",
            "Blattgrün",
        ),
        (
            "La photosynthèse est un processus qui permet aux plantes de vivre de la lumière.",
            "Qu'est-ce que la photosynthèse ?",
            "Un processus qui permet aux plantes de vivre de la lumière",
        ),
        (
            "La ósmosis es el paso del agua a través de una membrana.",
            "¿Qué es la ósmosis?",
            "El paso del agua a través de una membrana",
        ),
        (
            "La cellula è l'unità di base di tutti gli organismi della terra.",
            "Che cos'è la cellula?",
            "L'unità di base di tutti gli organismi della terra",
        ),
        (
            "光合作用是指绿色植物利用光能制造有机物的过程。",
            "光合作用是什么？",
            "绿色植物利用光能制造有机物的过程",
        ),
        (
            "光合成とは、植物が光を使って有機物を作る反応のことである。",
            "光合成とは何か。",
            "植物が光を使って有機物を作る反応",
        ),
    ],
)
def test_definitions_in_several_languages(text: str, question: str, answer: str) -> None:
    assert pairs(text)[question] == answer


@pytest.mark.parametrize(
    "text",
    [
        "Note: bring your own lunch on Friday.",
        "There were three factors: war, hunger and plague in the land.",
        "Trade was good – but prices fell in the following years.",
        "This process is the basis of all life on the planet.",
        "In 1815 Napoleon was a prisoner of the British on the way to Saint Helena.",
        "The plants are very green and also quite tall in this region.",
        "The meeting is at 10:30 in the hall.",
    ],
)
def test_what_only_looks_like_a_definition(text: str) -> None:
    assert [question for question in pairs(text) if BLANK not in question] == []


def test_a_term_does_not_give_itself_away() -> None:
    for draft in make(BIOLOGY + HISTORY).drafts:
        if BLANK in draft.question:
            assert draft.answer not in draft.question


@pytest.mark.parametrize("text", ["Photosynthesis", "# Only a heading", "???", "1 2 3", "👩‍🔬" * 50, "\x00"])
def test_a_text_without_sentences_gives_no_cards_and_says_so(text: str) -> None:
    generation = make(text)
    assert generation.drafts == []
    assert [notice.code for notice in generation.notices] == ["extractive", "no_cards"]


def test_no_more_cards_than_asked_for_and_the_rest_is_counted() -> None:
    generation = make(BIOLOGY, max_cards=2)
    assert len(generation.drafts) == 2
    assert generation.rejected[Reject.OVER_LIMIT] > 0
    assert all(BLANK not in draft.question for draft in generation.drafts)


def test_repeated_sentences_make_one_card() -> None:
    twice = make(BIOLOGY + "\n" + BIOLOGY).drafts
    assert [draft.source for draft in twice] == [draft.source for draft in make(BIOLOGY).drafts]


def test_the_same_text_gives_the_same_cards() -> None:
    assert make(BIOLOGY).drafts == make(BIOLOGY).drafts


def test_a_part_of_the_text_gives_a_card_about_it() -> None:
    start = HISTORY.index("a third of Europe")
    drafts = make(HISTORY, max_cards=1, focus=Span(start, start + 30)).drafts
    assert len(drafts) == 1
    assert "Black Death" in drafts[0].source.of(HISTORY)


@pytest.mark.parametrize(
    "chunk", [BIOLOGY, "A ", "a: ", "- ", "光合作用", "(ABCD) word ", "The x is ", '"', "e\u0301"]
)
def test_the_longest_text_takes_no_long_time(chunk: str) -> None:
    text = (chunk * (MAX_TEXT_LENGTH // len(chunk) + 1))[:MAX_TEXT_LENGTH]
    started = time.process_time()
    make(text)
    assert time.process_time() - started < 5.0


ALPHABET = st.sampled_from(
    [
        *"abc ABC  .!?:–,()*\n#-1",
        " is a ",
        " are ",
        " means ",
        "The ",
        "é",
        "e\u0301",
        "👩‍🔬",
        "😀",
        "光",
        "合",
        "。",
        "は",
    ]
)
NOISE = st.lists(ALPHABET, max_size=80).map("".join)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.one_of(NOISE, st.text(max_size=200)))
def test_any_text_gives_sound_cards(text: str) -> None:
    assert_sound(text, make(text).drafts)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.lists(
        st.sampled_from(["😀 ", "é\u0301\u0323 ", "光合 ", "\u200d", "🏳️‍🌈 ", "\n\n", "नमस्ते "]), max_size=8
    )
)
def test_offsets_count_code_points(parts: list[str]) -> None:
    prefix = "".join(parts)
    sentence = "Osmosis is the movement of water through a membrane."
    text = f"{prefix}\n\n{sentence} 😀"
    found = [d for d in make(text).drafts if d.question.startswith("What is")]
    assert [d.source.of(text) for d in found] == [sentence]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.integers(0, len(HISTORY) - 1), st.integers(1, 200))
def test_any_part_gives_at_most_one_card(start: int, length: int) -> None:
    focus = Span(start, min(len(HISTORY), start + length))
    drafts = make(HISTORY, max_cards=1, focus=focus).drafts
    assert len(drafts) <= 1
    assert all(d.question.strip() and d.answer.strip() for d in drafts)


def test_decomposed_text_keeps_its_marks() -> None:
    text = unicodedata.normalize("NFD", "La photosynthèse est un procédé qui permet aux plantes de vivre.")
    drafts = make(text).drafts
    assert [d.source.of(text) for d in drafts] == [text]
    assert "photosynthe\u0300se" in drafts[0].question
