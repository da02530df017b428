//! Where a page begins: a place in an order, written so that nobody is tempted to read it.

use super::super::params::Params;
use super::query::Query;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The place behind an element. Means something only for the query that it was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Of the query.
    pub(super) fingerprint: u64,
    /// What the element is sorted by, …
    pub(super) key: i64,
    /// … and its id.
    pub(super) id: u64,
}

impl Cursor {
    pub(super) fn write(self) -> String {
        encode(format!("{:016x}:{}:{}", self.fingerprint, self.key, self.id).as_bytes())
    }

    /// The cursor of a text; `None` where nobody can have given it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = String::from_utf8(decode(text)?).ok()?;
        let mut parts = text.split(':');
        let fingerprint = u64::from_str_radix(parts.next()?, 16).ok()?;
        let cursor = Self { fingerprint, key: parts.next()?.parse().ok()?, id: parts.next()?.parse().ok()? };
        parts.next().is_none().then_some(cursor)
    }
}

/// What a request says about where to begin.
pub(super) fn asked(params: &Params) -> Option<&str> {
    params.get("after_cursor").filter(|text| !text.is_empty())
}

/// The cursor of a request for a query.
pub(super) fn of(params: &Params, query: &Query) -> Result<Option<Cursor>, &'static str> {
    let Some(text) = asked(params) else { return Ok(None) };
    let cursor = Cursor::read(text).ok_or("invalid after_cursor")?;
    if cursor.fingerprint != query.fingerprint() {
        return Err("after_cursor does not belong to this query");
    }
    Ok(Some(cursor))
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            out.push(char::from(DIGITS[(word >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(4) {
        if chunk.len() == 1 {
            return None;
        }
        let mut word = 0u32;
        for byte in chunk {
            word = word << 6 | DIGITS.iter().position(|digit| digit == byte)? as u32;
        }
        word <<= 6 * (4 - chunk.len());
        out.extend_from_slice(&word.to_be_bytes()[1..chunk.len()]);
    }
    Some(out)
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
