-- Which session is under way: '' if none. KEYS: generation.
check_own(KEYS[1], 'string')
return redis.call('GET', KEYS[1]) or ''
