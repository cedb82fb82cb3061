-- Learning: reviews from before a card was imported, and where it stood then. Number 0003 is another branch's script.

-- JSON: what an entry of the kinds 10 (a review elsewhere) and 11 (where the card stands) says.
ALTER TABLE review ADD COLUMN past TEXT;
