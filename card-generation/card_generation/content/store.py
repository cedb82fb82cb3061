"""Keeps contents in one SQLite file, and uploaded or fetched PDF files in it.

Every method is one transaction and blocks; the service calls them from worker threads. A content is only
ever found together with the user it belongs to, but for those that are still to be processed after a start.
"""

import json
from enum import Enum, auto
from pathlib import Path
from typing import Any

from card_generation.content.model import MAX_CONTENTS, MAX_PROCESSING, Content, SourceType, Status
from card_generation.database import Database, Layout

_SCHEMA = """
CREATE TABLE content (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    source_type TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at TEXT NOT NULL,
    status TEXT NOT NULL,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    text TEXT NOT NULL,
    problem TEXT,
    read INTEGER NOT NULL,
    annotations TEXT NOT NULL,
    file BLOB
);
CREATE INDEX content_of_user ON content (user_id, sequence);
"""
_LAYOUT = Layout(file_name="content.sqlite3", what="contents", versions=(_SCHEMA,))
_COLUMNS = (
    "id, user_id, source_type, source, created_at, status, title, summary, text, problem, read, annotations"
)


class Refusal(Enum):
    """Why a content is not stored."""

    TOO_MANY = auto()
    TOO_MANY_PROCESSING = auto()


class ContentStore:
    """All contents."""

    def __init__(self, database: Database) -> None:
        self._transaction = database.transaction
        self.close = database.close

    @classmethod
    def open(cls, folder: Path) -> "ContentStore":
        """Open the contents of a folder, which is made when absent.

        Raises `StoreError` when the folder cannot be used, or was written by a newer version.
        """
        return cls(Database(folder, _LAYOUT))

    def insert(self, content: Content, file: bytes | None) -> Refusal | None:
        """Store a new content; say why not when the user has too many."""
        with self._transaction() as connection:
            count, processing = connection.execute(
                "SELECT COUNT(*), COALESCE(SUM(status = ?), 0) FROM content WHERE user_id = ?",
                (Status.PROCESSING, content.user_id),
            ).fetchone()
            if count >= MAX_CONTENTS:
                return Refusal.TOO_MANY
            if processing >= MAX_PROCESSING:
                return Refusal.TOO_MANY_PROCESSING
            connection.execute(
                f"INSERT INTO content ({_COLUMNS}, file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (
                    content.id,
                    content.user_id,
                    content.source_type,
                    content.source,
                    content.created_at,
                    content.status,
                    content.title,
                    content.summary,
                    content.text,
                    content.problem,
                    content.read,
                    json.dumps(content.annotations),
                    file,
                ),
            )
            return None

    def listed(self, user_id: str, ids: list[str] | None) -> list[Content]:
        """List a user's contents, newest first: those of the ids, or all."""
        with self._transaction() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM content WHERE user_id = ?"  # noqa: S608
                " AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2))) ORDER BY sequence DESC",
                (user_id, None if ids is None else json.dumps(ids)),
            ).fetchall()
        return [_content(row) for row in rows]

    def file(self, user_id: str, content_id: str) -> bytes | None:
        """Read the file of a content."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT file FROM content WHERE user_id = ? AND id = ?", (user_id, content_id)
            ).fetchone()
        return None if row is None else row[0]

    def unfinished(self) -> list[Content]:
        """List what is still to be processed, of all users."""
        with self._transaction() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM content WHERE status = ? ORDER BY sequence",  # noqa: S608
                (Status.PROCESSING,),
            ).fetchall()
        return [_content(row) for row in rows]

    def processed(self, content: Content, file: bytes | None) -> None:
        """Store what became of a content, unless it was deleted meanwhile; a file is added to it."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE content SET status = ?, title = ?, summary = ?, text = ?, problem = ?,"
                " file = COALESCE(?, file) WHERE id = ?",
                (
                    content.status,
                    content.title,
                    content.summary,
                    content.text,
                    content.problem,
                    file,
                    content.id,
                ),
            )

    def set_read(self, user_id: str, content_id: str, read: bool) -> bool:
        """Set whether a content was read; say whether there is one."""
        return self._change(
            "UPDATE content SET read = ? WHERE user_id = ? AND id = ?", (read, user_id, content_id)
        )

    def annotate(self, user_id: str, content_id: str, annotations: list[dict[str, Any]]) -> bool:
        """Replace the annotations of a content; say whether there is one."""
        return self._change(
            "UPDATE content SET annotations = ? WHERE user_id = ? AND id = ?",
            (json.dumps(annotations, ensure_ascii=False), user_id, content_id),
        )

    def delete(self, user_id: str, content_id: str) -> bool:
        """Delete a content with its file; say whether there was one."""
        return self._change("DELETE FROM content WHERE user_id = ? AND id = ?", (user_id, content_id))

    def forget(self, user_id: str) -> None:
        """Delete all contents of a user with their files."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM content WHERE user_id = ?", (user_id,))

    def _change(self, statement: str, values: tuple[Any, ...]) -> bool:
        with self._transaction() as connection:
            return connection.execute(statement, values).rowcount == 1


def _content(row: tuple[Any, ...]) -> Content:
    (
        content_id,
        user_id,
        kind,
        source,
        created_at,
        status,
        title,
        summary,
        text,
        problem,
        read,
        annotations,
    ) = row
    return Content(
        id=content_id,
        user_id=user_id,
        source_type=SourceType(kind),
        source=source,
        created_at=created_at,
        status=Status(status),
        title=title,
        summary=summary,
        text=text,
        problem=problem,
        read=bool(read),
        annotations=json.loads(annotations),
    )
