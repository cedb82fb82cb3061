"""A SQLite file in which a store keeps what was answered: opened, upgraded and written in one way.

A store has one connection, used by one thread at a time, and each of its methods is one transaction.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from card_generation.errors import StoreError


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file is called, what is in it, and what makes each version of the one before it."""

    file_name: str
    what: str
    versions: tuple[str, ...]


class Database:
    """An open file. What a transaction did has reached the disk when it is over."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        """Open the file in a folder, which is made when absent.

        Raises `StoreError` when the folder cannot be used, or was written by a newer version.
        """
        path = folder / layout.file_name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the folder {str(folder)!r} cannot be used: {error}") from error
        try:
            _migrate(connection, layout)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except (sqlite3.Error, StoreError) as error:
            connection.close()
            raise StoreError(f"the {layout.what} in {str(folder)!r} cannot be opened: {error}") from error
        self._connection = connection
        self._lock = threading.Lock()
        self._what = layout.what

    def close(self) -> None:
        """Close the file; nothing can be stored after it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do what is done with the connection wholly or not at all.

        Raises `StoreError` when the file cannot be read or written.
        """
        try:
            with self._lock:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"The {self._what} cannot be read or written at present.") from error


def _migrate(connection: sqlite3.Connection, layout: Layout) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    newest = len(layout.versions)
    if version > newest:
        raise StoreError(f"they have version {version}, this program knows versions up to {newest}")
    for number, script in enumerate(layout.versions[version:], version + 1):
        connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
