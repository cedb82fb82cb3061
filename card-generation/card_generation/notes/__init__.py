"""Notes: a text, the cards made from it, and whether they were added to a deck yet."""
