-- ?2: the new version, one more than the change was decided on. ?3: the entry of the trash it lies in from now on, or NULL.
UPDATE card
SET trash_id = ?3, version = ?2, change = ?4
WHERE id = ?1 AND version = ?2 - 1
