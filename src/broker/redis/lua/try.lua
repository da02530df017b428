-- Whether a write would be let through now, also one that needs memory. It changes nothing: there is no such stream.
-- KEYS: a stream that nobody has.
redis.call('XADD', KEYS[1], 'NOMKSTREAM', '*', 'v', '')
return 1
