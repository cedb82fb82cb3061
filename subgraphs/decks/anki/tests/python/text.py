"""Text files by Anki's own library.

Usage: text.py write FILE exports a collection's notes to FILE and says as JSON what they are; text.py read
FILE imports FILE and says as JSON which notes Anki made of it.
"""

import json
import os
import sys
import tempfile

from anki.collection import Collection, ImportCsvRequest

NOTES = [
    ("Basic", ["plain", "text"], ["a", "b::c"], "One::Two"),
    ("Basic", ['say "hi"', "tab\there, semicolon; pipe| and <b>HTML</b><br>"], [], "Three"),
    ("Basic", ["# no comment", "line\nbreak\r\n"], ["x"], "Default"),
    ("Cloze", ["{{c1::été}} 日本 {{c2::🎌}}", ""], [], "Three"),
]


def notes(col):
    found = []
    for row in col.db.all("select guid, mid, id, flds from notes order by id"):
        note = col.get_note(row[2])
        deck = col.decks.name(note.cards()[0].did)
        found.append([row[0], note.note_type()["name"], deck, sorted(note.tags), note.fields])
    return found


def main(how, path):
    with tempfile.TemporaryDirectory() as folder:
        col = Collection(os.path.join(folder, "collection.anki2"))
        if how == "write":
            for note_type, fields, tags, deck in NOTES:
                note = col.new_note(col.models.by_name(note_type))
                note.fields = list(fields)
                note.tags = tags
                col.add_note(note, col.decks.id(deck))
            count = col.export_note_csv(
                out_path=path,
                limit=None,
                with_html=True,
                with_tags=True,
                with_deck=True,
                with_notetype=True,
                with_guid=True,
            )
            assert count == len(NOTES)
        else:
            metadata = col.get_csv_metadata(path=path, delimiter=None)
            col.import_csv(ImportCsvRequest(path=path, metadata=metadata))
        json.dump(notes(col), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
