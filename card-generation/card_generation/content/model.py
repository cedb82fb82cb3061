"""Content: what a person gave to read, and what became of it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_CONTENTS = 1_000
"""Most contents of one user."""

MAX_PROCESSING = 20
"""Most contents of one user that are being processed or wait for it."""

MAX_ANNOTATIONS = 1_000
"""Most annotations of one content."""


class SourceType(StrEnum):
    """What was given."""

    PDF = "pdf"
    URL = "url"
    DOI = "doi"


class Status(StrEnum):
    """What became of it."""

    PROCESSING = "processing"
    PROCESSED = "processed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Content:
    """One content. `source` is the address, the DOI or the file's name; `created_at` is RFC 3339 in UTC."""

    id: str
    user_id: str
    source_type: SourceType
    source: str
    created_at: str
    status: Status = Status.PROCESSING
    title: str = ""
    summary: str = ""
    text: str = ""
    problem: str | None = None
    read: bool = False
    annotations: list[dict[str, Any]] = field(default_factory=list)
