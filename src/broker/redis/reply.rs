//! What the scripts answer.

use redis::Value;

use crate::broker::{entry::EntryId, state::GroupState};

/// An id as Redis writes it.
pub(super) fn entry_id(text: &str) -> Option<EntryId> {
    text.parse().ok()
}

/// The bytes of a string.
pub(super) fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        _ => None,
    }
}

/// A string.
pub(super) fn text(value: Value) -> Option<String> {
    String::from_utf8(bytes(value)?).ok()
}

/// A count.
pub(super) fn count(value: &Value) -> Option<u64> {
    match value {
        Value::Int(count) => u64::try_from(*count).ok(),
        _ => None,
    }
}

/// A list of so many values.
pub(super) fn list<const N: usize>(value: Value) -> Option<[Value; N]> {
    many(value)?.try_into().ok()
}

/// A list.
pub(super) fn many(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

/// Where a group stands, as `progress` in the prelude says it.
pub(super) fn group_state(value: Value) -> Option<GroupState> {
    let [name, pending, undelivered, unacknowledged_bytes, all, first, delivered, lost] = list(value)?;
    let [all, first, delivered] = [text(all)?, text(first)?, text(delivered)?];
    let clear_up_to = match (all.as_str(), first.as_str()) {
        ("", "") => entry_id(&delivered)?,
        ("", first) => just_before(entry_id(first)?),
        (all, _) => entry_id(all)?,
    };
    Some(GroupState {
        name: text(name)?,
        pending: count(&pending)?,
        undelivered: count(&undelivered)?,
        unacknowledged_bytes: count(&unacknowledged_bytes)?,
        clear_up_to,
        lost: count(&lost)?,
    })
}

/// The greatest id that is smaller.
const fn just_before(id: EntryId) -> EntryId {
    match id.seq {
        0 => EntryId::before(id.ms),
        seq => EntryId { ms: id.ms, seq: seq - 1 },
    }
}

pub(super) fn optional_text(value: Value) -> Option<Option<String>> {
    match value {
        Value::Nil => Some(None),
        value => text(value).map(Some),
    }
}

pub(super) fn whole(value: Value) -> Option<usize> {
    usize::try_from(count(&value)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_as_they_are_written() {
        let id = EntryId { ms: 1_784_965_486_000, seq: 7 };
        assert_eq!(entry_id(&id.to_string()), Some(id));
        for text in ["", "7", "7-", "-7", "a-b", "1-2-3"] {
            assert_eq!(entry_id(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_in_front_of_an_id_is_smaller() {
        for id in [EntryId { ms: 5, seq: 3 }, EntryId { ms: 5, seq: 0 }] {
            let before = just_before(id);
            assert!(before < id);
            assert!(before > EntryId { ms: 4, seq: 1_000 });
        }
    }
}
