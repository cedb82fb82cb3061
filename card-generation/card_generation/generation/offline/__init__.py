"""The offline generator: takes definitions and key sentences out of a text, invents nothing.

A text goes through `blocks` (paragraphs, list items), `sentences`, then `definitions` and `cloze`,
and `generator` puts the cards in order. `languages` holds what is particular to a language, as data.
"""
