"""The bounds of what the service accepts and makes, in one place.

Lengths are counted in Unicode code points, as Python's `len` does, because the offsets of a card are.
"""

MAX_TEXT_LENGTH = 100_000
"""Longest text of a note."""

MAX_CARDS = 100
"""Most cards of one note."""

MAX_QUESTION_LENGTH = 1_000
"""Longest question of a card."""

MAX_ANSWER_LENGTH = 2_000
"""Longest answer of a card."""

MAX_ID_LENGTH = 128
"""Longest user, deck or note id."""

MAX_PROMPT_NAME_LENGTH = 100
"""Longest name of a prompt or a model."""

MAX_SYSTEM_MESSAGE_LENGTH = 10_000
"""Longest system message of a prompt."""

MAX_INSTRUCTIONS_LENGTH = 2_000
"""Longest instructions of a person."""

MAX_TOKENS = 100_000
"""Most tokens that a prompt may allow an answer."""

MAX_IDEMPOTENCY_KEY_LENGTH = 200
"""Longest value of the `idempotency-key` header."""

MAX_BODY_BYTES = 6 * 1024 * 1024
"""Longest request body: 100 cards of full length, each code point escaped as JSON allows, and some air."""

MAX_UPLOAD_BYTES = 20 * 1024 * 1024 + 64 * 1024
"""Longest body with a PDF: 20 MiB, and the form around it."""

MAX_LISTED_NOTES = 1_000
"""Most notes that a listing answers."""

MAX_NOTES = 1_000
"""Most notes of one user: the oldest goes for a new one."""

KEPT_SECONDS = 31 * 24 * 60 * 60
"""How long a note is kept: a day longer than Spacey keeps a job, which may ask for it by its key."""
