//! Where a page begins: a place in an order, written so that nobody is tempted to read it.

use alloy_primitives::hex;

use super::query::Query;
use crate::demo::http::params::Params;

/// The place behind an element. Means something only for the query that it was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Cursor {
    /// Of the query.
    pub(in crate::demo) fingerprint: u64,
    /// What the element is sorted by, …
    pub(in crate::demo) key: i64,
    /// … and its id.
    pub(in crate::demo) id: u64,
}

impl Cursor {
    pub(in crate::demo) fn write(self) -> String {
        hex::encode(format!("{:016x}:{}:{}", self.fingerprint, self.key, self.id))
    }

    /// The cursor of a text; `None` where nobody can have given it.
    pub(in crate::demo) fn read(text: &str) -> Option<Self> {
        let text = String::from_utf8(hex::decode(text).ok()?).ok()?;
        let mut parts = text.split(':');
        let fingerprint = u64::from_str_radix(parts.next()?, 16).ok()?;
        let cursor = Self { fingerprint, key: parts.next()?.parse().ok()?, id: parts.next()?.parse().ok()? };
        parts.next().is_none().then_some(cursor)
    }
}

/// What a request says about where to begin.
pub(in crate::demo) fn asked(params: &Params) -> Option<&str> {
    params.get("after_cursor").filter(|text| !text.is_empty())
}

/// The cursor of a request for a query.
pub(in crate::demo) fn of(params: &Params, query: &Query) -> Result<Option<Cursor>, &'static str> {
    let Some(text) = asked(params) else { return Ok(None) };
    let cursor = Cursor::read(text).ok_or("invalid after_cursor")?;
    if cursor.fingerprint != query.fingerprint() {
        return Err("after_cursor does not belong to this query");
    }
    Ok(Some(cursor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for (fingerprint, key, id) in [(0, 0, 0), (u64::MAX, i64::MIN, u64::MAX), (7, -12, 34), (7, 1, 3_047_949)] {
            let cursor = Cursor { fingerprint, key, id };
            assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        }
        let text = Cursor { fingerprint: 1, key: 2, id: 3 }.write();
        for garbage in ["", "x", "%%%", "bm9wZQ", &text[1..], &format!("{text}AAAA")] {
            assert_eq!(Cursor::read(garbage), None, "{garbage}");
        }
    }
}
