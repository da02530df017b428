-- What some settings are for this user, and which of them may be changed. One row: a profile may limit the rows of an answer.
SELECT toJSONString(groupArray((name, value, readonly, ifNull(toString(min), ''), ifNull(toString(max), ''))))
FROM system.settings
WHERE name IN ?
FORMAT TSVRaw
