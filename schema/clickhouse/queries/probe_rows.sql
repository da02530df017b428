-- How many rows of a probe a reader sees. Probes are of 1970, where no trade is.
SELECT count() FROM trades FINAL WHERE timestamp < toDateTime('1970-01-02 00:00:00', 'UTC') AND source_id = ?
