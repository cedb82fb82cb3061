"""Writes one collection with Anki's own library in every form, and says as JSON what Anki itself finds in it.

Usage: anki_writes.py FOLDER. It leaves there legacy.apkg, current.apkg, legacy.colpkg, current.colpkg and
expected.json.
"""

import json
import os
import sys

from anki.collection import Collection, ExportAnkiPackageOptions
from anki.decks import FilteredDeckConfig

from describing import describe, rendered

FOLDER = sys.argv[1]
DAY = 86_400

ENGLISH = [
    ("plain", "text"),
    ("<b>bold</b> &amp; <i>more</i>", "line<br>line"),
    ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>"),
    ("日本語 🎌", "emoji"),
    ("12", "a number as the first field"),
    ("&nbsp;spaces ", "<div><div>nested</div></div>"),
]


def build(path):
    col = Collection(path)
    # Reviews are due in days since the creation: let some have passed.
    created = col.db.scalar("select crt from col") - 100 * DAY
    col.db.execute("update col set crt = ?", created)
    col.close(downgrade=False)
    col = Collection(path)
    col.set_config("fsrs", True)

    decks = [col.decks.id(name) for name in ("Sprachen::Español::Verben", "Sprachen", "e\u0301", "Geo & <x>")]
    deck = col.decks.get(decks[0])
    deck["desc"] = "<b>What it is</b> for"
    col.decks.save(deck)

    for index, name in enumerate(("e\u0301te\u0301.png", "sound one.mp3", "_style.css")):
        source = os.path.join(FOLDER, name)
        with open(source, "wb") as file:
            file.write(bytes([index]) * (1000 * (index + 1)))
        col.media.add_file(source)

    own = col.models.new("Capitals \U0001f30d")
    for field in ("Country", "Capital", "Map", "Notes"):
        col.models.add_field(own, col.models.new_field(field))
    for name, front, back in (
        ("Forward", "{{Country}}?", "{{FrontSide}}<hr>{{Capital}} {{#Map}}{{Map}}{{/Map}}"),
        ("Backward", "{{Capital}}?", "{{Country}}"),
        ("Typed", "{{type:Capital}} {{Country}}", "{{type:Capital}}"),
        (
            "Conditions",
            "{{^Map}}no {{Notes}}map{{/Map}}"
            "{{#Map}}{{#Notes}}{{text:Map}} {{Type}} {{Tags}}{{/Notes}}{{/Map}} {{ Country }}",
            "{{FrontSide}}|{{kana:Capital}}",
        ),
    ):
        template = col.models.new_template(name)
        template["qfmt"], template["afmt"] = front, back
        col.models.add_template(own, template)
    own["css"] = ".card { color: red }"
    own["sortf"] = 1
    col.models.add(own)

    for front, back in ENGLISH:
        add(col, "Basic", [front, back], decks[1], ["a", "b::c"])
    add(col, "Basic (and reversed card)", ["there", "back"], decks[2], ["e\u0301"])
    add(col, "Cloze", ["{{c1::one::hint}} {{c2::two}} {{c12::twelve}}", "extra"], decks[1], [])
    add(col, own["name"], ["France", "Paris", '<img src="été.png">', "[sound:sound one.mp3]"], decks[0], [])
    add(col, own["name"], ["Perú", "Lima", "", ""], decks[3], ["x" * 90])
    for number in range(30):
        add(col, "Basic", [f"many {number}", ""], decks[0], [])

    answer(col, decks[0], [1, 2, 3, 4, 3, 3, 4, 1, 3, 2])
    schedule(col)
    return col


def add(col, note_type, fields, deck, tags):
    note = col.new_note(col.models.by_name(note_type))
    note.fields = list(fields)
    note.tags = tags
    col.add_note(note, deck)


def answer(col, deck, buttons):
    col.decks.select(deck)
    for button in buttons:
        card = col.sched.getCard()
        card.start_timer()
        col.sched.answerCard(card, button)


def schedule(col):
    """Brings a card into each state that a card can be in."""
    ids = [card for card in col.find_cards("deck:Sprachen -deck:Sprachen::*") if col.get_card(card).type == 0]
    assert len(ids) >= 8
    col.sched.set_due_date(ids[:2], "5-9!")
    col.sched.set_due_date(ids[2:3], "0")
    col.sched.suspend_cards(ids[3:4])
    col.sched.bury_cards(ids[4:5])
    col.set_user_flag_for_cards(3, ids[1:3])
    card = col.get_card(ids[5])
    card.custom_data = '{"v":1}'
    card.memory_state = None
    col.update_card(card)
    # A filtered deck that lends three cards from others.
    lent = col.sched.get_or_create_filtered_deck(0)
    lent.name = "Lent"
    del lent.config.search_terms[:]
    lent.config.search_terms.append(FilteredDeckConfig.SearchTerm(search="many", limit=3, order=0))
    col.sched.add_or_update_filtered_deck(lent)
    # What older schedulers leave behind.
    with_steps = ids[6]
    col.db.execute(
        "update cards set type = 3, queue = 3, due = 120, ivl = 12, factor = 1850, reps = 31, lapses = 4,"
        """ left = 1001, data = '{"lrt":1500000000}' where id = ?""",
        with_steps,
    )
    col.db.execute("insert into revlog values (1500000000123, 17, 0, 3, 12, -600, 2100, 8001, 2)")
    col.db.execute(f"insert into revlog values (1500000000124, {with_steps}, 0, 0, 30, 12, 0, 0, 4)")
    col.db.execute(f"insert into revlog values (1500000000125, {with_steps}, 0, 4, 31, 30, 650, 60000, 3)")


def main():
    col = build(os.path.join(FOLDER, "source.anki2"))
    expected = describe(col)
    expected["rendered"] = rendered(col)
    for legacy, name in ((True, "legacy"), (False, "current")):
        options = ExportAnkiPackageOptions(
            with_scheduling=True, with_deck_configs=True, with_media=True, legacy=legacy
        )
        col.export_anki_package(out_path=os.path.join(FOLDER, f"{name}.apkg"), options=options, limit=None)
    path = os.path.join(FOLDER, "source.anki2")
    col.export_collection_package(os.path.join(FOLDER, "legacy.colpkg"), include_media=True, legacy=True)
    col = Collection(path)
    col.export_collection_package(os.path.join(FOLDER, "current.colpkg"), include_media=True, legacy=False)
    with open(os.path.join(FOLDER, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, ensure_ascii=False)


if __name__ == "__main__":
    main()
