"""Making cards from text, by one of two generators of the same shape."""
