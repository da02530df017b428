-- Rows of a month: those of a range of days.
INSERT INTO {to} ({columns})
SELECT {columns}
FROM {from}
WHERE _partition_id = ? AND toDate(timestamp) BETWEEN toDate(?) AND toDate(?)
