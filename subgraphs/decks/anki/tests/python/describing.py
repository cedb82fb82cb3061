"""Says as plain values what Anki itself finds in a collection that it has open."""

import hashlib
import os
import re
import unicodedata


def describe(col):
    media_folder = col.media.dir()
    media = {}
    for name in os.listdir(media_folder):
        with open(os.path.join(media_folder, name), "rb") as file:
            content = file.read()
        media[unicodedata.normalize("NFC", name)] = [len(content), hashlib.sha1(content).hexdigest()]
    note_types = {}
    for entry in col.models.all():
        note_types[entry["id"]] = {
            "name": entry["name"],
            "kind": entry["type"],
            "sort_field": entry["sortf"],
            "fields": [field["name"] for field in entry["flds"]],
            "templates": [[t["name"], t["qfmt"], t["afmt"]] for t in entry["tmpls"]],
            "css": entry["css"],
            "latex": [entry["latexPre"], entry["latexPost"]],
        }
    return {
        "created": col.db.scalar("select crt from col"),
        "decks": {deck["id"]: [deck["name"], deck.get("desc", ""), deck["dyn"]] for deck in col.decks.all()},
        "note_types": note_types,
        "notes": col.db.all("select id, guid, mid, mod, tags, flds, csum from notes order by id"),
        "cards": col.db.all(
            "select id, nid, did, ord, mod, type, queue, due, ivl, factor, reps, lapses, left, odue, odid,"
            " flags, data from cards order by id"
        ),
        "reviews": col.db.all(
            "select id, cid, ease, ivl, lastIvl, factor, time, type from revlog order by id"
        ),
        "media": media,
    }


def rendered(col):
    """Says what each card shows, without what Anki adds to deletions and to what is typed."""
    sides = {}
    for card_id in col.db.list("select id from cards"):
        card = col.get_card(card_id)
        fields = dict(card.note().items())
        output = card.render_output()
        question = re.sub(r"\[\[type:.*?\]\]", "", output.question_text)
        answer = re.sub(
            r"\[\[type:(.*?)\]\]", lambda found, fields=fields: fields[found[1]], output.answer_text
        )
        sides[card_id] = [plain_deletions(question), plain_deletions(answer)]
    return sides


def plain_deletions(html):
    html = re.sub(r'<span class="cloze-inactive"[^>]*>(.*?)</span>', r"\1", html)
    return re.sub(r'<span class="cloze"[^>]*>', '<span class="cloze">', html)
