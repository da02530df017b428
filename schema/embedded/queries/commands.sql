-- The newest commands of a pipeline, the oldest first.
SELECT * FROM (SELECT * FROM commands WHERE pipeline = ?1 ORDER BY at DESC, id DESC LIMIT ?2)
ORDER BY at, id
