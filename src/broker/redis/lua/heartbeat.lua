-- Says that a process lives. KEYS: proc. ARGV: the process, for how long in ms.
-- A full memory refuses SET alone, but not behind a PEXPIRE: nobody is taken for dead because of it.
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
