"""Keeps notes in one SQLite file.

Every method is one transaction and blocks; the service calls them from worker threads. A note is
only ever found together with the user it belongs to. What was answered has reached the disk.
"""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from card_generation.database import Database, Layout
from card_generation.limits import KEPT_SECONDS, MAX_LISTED_NOTES, MAX_NOTES

_SCHEMA = """
CREATE TABLE note (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    deck_id TEXT NOT NULL,
    text TEXT NOT NULL,
    cards TEXT NOT NULL,
    origin TEXT NOT NULL,
    added_to TEXT,
    idempotency_key TEXT,
    request_digest TEXT NOT NULL,
    UNIQUE (user_id, idempotency_key)
);
CREATE INDEX note_pending ON note (user_id, deck_id, sequence) WHERE added_to IS NULL;
"""
# Notes of before have the age of the upgrade.
_AGES = """
ALTER TABLE note ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
UPDATE note SET created_at = unixepoch();
CREATE INDEX note_by_age ON note (created_at);
"""
_LAYOUT = Layout(file_name="notes.sqlite3", what="notes", versions=(_SCHEMA, _AGES))
_COLUMNS = "id, user_id, deck_id, text, cards, origin, added_to, idempotency_key, request_digest"


@dataclass(frozen=True, slots=True)
class StoredCard:
    """A card of a note; the source is a range of code points of the note's text."""

    question: str
    answer: str
    source_start_index: int
    source_end_index: int


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it is stored. `origin` is JSON about the generation, kept to answer the same again."""

    id: str
    user_id: str
    deck_id: str
    text: str
    cards: tuple[StoredCard, ...]
    origin: str
    added_to: str | None = None
    idempotency_key: str | None = None
    request_digest: str = ""


class NoteStore:
    """All notes."""

    def __init__(self, database: Database) -> None:
        self._transaction = database.transaction
        self.close = database.close

    @classmethod
    def open(cls, folder: Path) -> "NoteStore":
        """Open the notes of a folder, which is made when absent.

        Raises `StoreError` when the folder cannot be used, or was written by a newer version.
        """
        return cls(Database(folder, _LAYOUT))

    def check(self) -> None:
        """Raise `StoreError` when the notes cannot be read."""
        with self._transaction() as connection:
            connection.execute("SELECT 1 FROM note LIMIT 1").fetchone()

    def insert(self, note: Note, now: float) -> Note:
        """Store a new note; when its idempotency key is taken, answer the note that has it instead.

        Notes that are too old at `now`, and the user's oldest beyond those there may be, are deleted.
        """
        with self._transaction() as connection:
            if note.idempotency_key is not None:
                earlier = _by_key(connection, note.user_id, note.idempotency_key)
                if earlier is not None:
                    return earlier
            connection.execute(
                f"INSERT INTO note ({_COLUMNS}, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (
                    note.id,
                    note.user_id,
                    note.deck_id,
                    note.text,
                    _dump(note.cards),
                    note.origin,
                    note.added_to,
                    note.idempotency_key,
                    note.request_digest,
                    int(now),
                ),
            )
            connection.execute(
                "DELETE FROM note WHERE user_id = ?1 AND sequence <= ("
                " SELECT sequence FROM note WHERE user_id = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)",
                (note.user_id, MAX_NOTES),
            )
            _expire(connection, now)
            return note

    def expire(self, now: float) -> None:
        """Delete notes that are too old at a moment, in seconds since the epoch."""
        with self._transaction() as connection:
            _expire(connection, now)

    def forget_key(self, user_id: str, key: str) -> None:
        """Delete the note that a request with this key made, unless its cards were added to a deck."""
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM note WHERE user_id = ? AND idempotency_key = ? AND added_to IS NULL",
                (user_id, key),
            )

    def by_key(self, user_id: str, key: str) -> Note | None:
        """Find the note that an earlier request with this idempotency key made."""
        with self._transaction() as connection:
            return _by_key(connection, user_id, key)

    def get(self, user_id: str, note_id: str) -> Note | None:
        """Find a user's note."""
        with self._transaction() as connection:
            return _get(connection, user_id, note_id)

    def pending(self, user_id: str) -> list[Note]:
        """List, newest first, the last note of each deck whose cards were not added yet."""
        with self._transaction() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM note WHERE sequence IN ("  # noqa: S608
                " SELECT MAX(sequence) FROM note WHERE user_id = ? AND added_to IS NULL GROUP BY deck_id"
                ") ORDER BY sequence DESC LIMIT ?",
                (user_id, MAX_LISTED_NOTES),
            ).fetchall()
        return [_note(row) for row in rows]

    def replace_cards(self, user_id: str, note_id: str, cards: tuple[StoredCard, ...]) -> bool:
        """Replace the cards of a note that was not added yet; say whether there was such a note."""
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE note SET cards = ? WHERE user_id = ? AND id = ? AND added_to IS NULL",
                (_dump(cards), user_id, note_id),
            )
            return changed.rowcount == 1

    def append_card(self, user_id: str, note_id: str, card: StoredCard, most: int) -> bool:
        """Append a card to a note that was not added yet and has room; say whether that was done."""
        with self._transaction() as connection:
            note = _get(connection, user_id, note_id)
            if note is None or note.added_to is not None or len(note.cards) >= most:
                return False
            connection.execute(
                "UPDATE note SET cards = ? WHERE id = ?", (_dump((*note.cards, card)), note_id)
            )
            return True

    def forget(self, user_id: str) -> None:
        """Delete all notes of a user."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM note WHERE user_id = ?", (user_id,))

    def mark_added(self, user_id: str, note_id: str, deck_id: str) -> bool:
        """Remember that the cards of a note went into a deck; False when that was so already."""
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE note SET added_to = ? WHERE user_id = ? AND id = ? AND added_to IS NULL",
                (deck_id, user_id, note_id),
            )
            return changed.rowcount == 1


def _expire(connection: sqlite3.Connection, now: float) -> None:
    connection.execute("DELETE FROM note WHERE created_at < ?", (int(now) - KEPT_SECONDS,))


def _get(connection: sqlite3.Connection, user_id: str, note_id: str) -> Note | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM note WHERE user_id = ? AND id = ?",  # noqa: S608
        (user_id, note_id),
    ).fetchone()
    return None if row is None else _note(row)


def _by_key(connection: sqlite3.Connection, user_id: str, key: str) -> Note | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM note WHERE user_id = ? AND idempotency_key = ?",  # noqa: S608
        (user_id, key),
    ).fetchone()
    return None if row is None else _note(row)


def _dump(cards: tuple[StoredCard, ...]) -> str:
    return json.dumps(
        [[c.question, c.answer, c.source_start_index, c.source_end_index] for c in cards],
        ensure_ascii=False,
    )


def _note(row: tuple[str, str, str, str, str, str, str | None, str | None, str]) -> Note:
    note_id, user_id, deck_id, text, cards, origin, added_to, key, digest = row
    stored = tuple(StoredCard(*card) for card in json.loads(cards))
    return Note(note_id, user_id, deck_id, text, stored, origin, added_to, key, digest)
