"""Writes a package with genanki, as many programs do: legacy 1, standard and cloze notes, decks, media.

Usage: genanki_writes.py FOLDER. It leaves there genanki.apkg.
"""

import os
import sys

import genanki

FOLDER = sys.argv[1]

STANDARD = genanki.Model(
    1607392319,
    "Simple with media",
    fields=[{"name": "Question"}, {"name": "Answer"}, {"name": "MyMedia"}],
    templates=[
        {
            "name": "Card 1",
            "qfmt": "{{Question}}<br>{{MyMedia}}",
            "afmt": "{{FrontSide}}<hr id=answer>{{Answer}}",
        },
        {"name": "Card 2", "qfmt": "{{Answer}}", "afmt": "{{Question}}"},
    ],
    css=".card { color: blue }",
)


def main():
    outer = genanki.Deck(2059400110, "Country Capitals", description="All of them")
    inner = genanki.Deck(2059400111, "Country Capitals::Asia")
    picture = os.path.join(FOLDER, "flag.png")
    with open(picture, "wb") as file:
        file.write(b"\x89PNG not really")
    outer.add_note(
        genanki.Note(
            model=STANDARD,
            fields=["Argentina", "Buenos Aires", '<img src="flag.png">'],
            tags=["south", "a::b"],
        )
    )
    inner.add_note(
        genanki.Note(
            model=genanki.CLOZE_MODEL,
            fields=["{{c1::Tokyo}} is in {{c2::Japan::where}}", ""],
            guid="own guid",
        )
    )
    genanki.Package([outer, inner], media_files=[picture]).write_to_file(
        os.path.join(FOLDER, "genanki.apkg"), timestamp=1_600_000_000
    )


if __name__ == "__main__":
    main()
