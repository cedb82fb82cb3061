"""Card generation for Spacey: makes flashcards from text, and keeps the notes they came from.

The HTTP contract is served by `web`, the rules are in `notes`, the two ways to make cards are in
`generation`. Nothing here knows decks, users' names or passwords: identity is the id the caller sends.
"""
