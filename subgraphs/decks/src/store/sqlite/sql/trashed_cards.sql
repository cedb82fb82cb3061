-- Cards in an entry of the trash. ?2: how many.
SELECT {columns}
FROM card
WHERE trash_id = ?1
ORDER BY seq
LIMIT ?2
