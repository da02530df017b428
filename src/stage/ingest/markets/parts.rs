//! A page as appends, each within the limits of one.

use std::collections::VecDeque;

use alloy_primitives::{hex, keccak256};

use super::dedup_cache::{Change, Fingerprint};
use crate::broker::{MAX_BYTES, MAX_ENTRIES, NewEntry, Stream};
use crate::flow::{StageId, StreamId};
use crate::model::{DeadLetter, Market, entry::Entry};
use crate::stage::unpack::{dead_letter, letter_entry};
use crate::streams::{market_cursor::MarketCursor, session::MARKETS};

/// As much of a page as one append carries.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) entries: Vec<NewEntry>,
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// Where the cursor goes, but for its step.
    pub(crate) cursor: Option<MarketCursor>,
}

impl Part {
    /// A hash of the entries and of all that went before them, by the hash that stands for those.
    pub(crate) fn hash(&self, before: &str) -> String {
        let bodies = self.entries.iter().flat_map(|entry| keccak256(&entry.body));
        let all: Vec<u8> = before.bytes().chain(bodies).collect();
        hex::encode(&keccak256(all)[..8])
    }
}

/// A market, or a dead letter of what is none or is larger than a stream can carry.
fn entry(item: Result<Market, DeadLetter>) -> NewEntry {
    let letter = match item {
        Ok(market) => {
            let body = market.encode();
            if body.len() <= MAX_BYTES {
                return NewEntry { stream: Stream::of(StreamId::Markets), body };
            }
            let reason = format!("a market of {} bytes, packed: at most {MAX_BYTES} can be carried", body.len());
            let raw = market.raw.unpack().unwrap_or_default();
            dead_letter(StageId::IngestMarkets, MARKETS, Some(market.id), raw.as_bytes(), &reason)
        }
        Err(letter) => letter.clipped(),
    };
    letter_entry(&letter)
}

/// Changes as appends, each within the limits of one. Where there is nothing to say there are none.
pub(crate) fn split(changes: Vec<Change>, cursor: Option<MarketCursor>) -> VecDeque<Part> {
    let (mut parts, mut part, mut bytes) = (VecDeque::new(), Part::default(), 0);
    for Change { item, fingerprint } in changes {
        let entry = entry(item);
        if !part.entries.is_empty() && (part.entries.len() == MAX_ENTRIES || bytes + entry.body.len() > MAX_BYTES) {
            parts.push_back(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += entry.body.len();
        part.entries.push(entry);
        part.fingerprints.push(fingerprint);
    }
    part.cursor = cursor;
    if !part.entries.is_empty() || part.cursor.is_some() {
        parts.push_back(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RawJson;

    fn change(id: u32, bytes: usize) -> Change {
        let market = Market { raw: RawJson::from_packed(vec![7; bytes]), ..Market::blank(id) };
        Change { fingerprint: Fingerprint::Letter(id.to_string(), 0), item: Ok(market) }
    }

    fn sizes(changes: Vec<Change>, cursor: Option<MarketCursor>) -> Vec<(usize, bool)> {
        split(changes, cursor).iter().map(|part| (part.entries.len(), part.cursor.is_some())).collect()
    }

    #[test]
    fn an_append_holds_no_more_than_it_can_and_the_cursor_goes_with_the_last() {
        let cursor = || Some(MarketCursor::START);
        assert_eq!(sizes(vec![], None), []);
        assert_eq!(sizes(vec![], cursor()), [(0, true)]);
        assert_eq!(
            sizes((0..2_100).map(|id| change(id, 10)).collect(), cursor()),
            [(1_000, false), (1_000, false), (100, true)]
        );
        assert_eq!(
            sizes((0..5).map(|id| change(id, MAX_BYTES / 3)).collect(), None),
            [(2, false), (2, false), (1, false)]
        );
    }

    #[test]
    fn what_no_stream_can_carry_becomes_a_dead_letter() {
        let parts = split(vec![change(1, 10), change(2, MAX_BYTES), change(3, 10)], None);
        let streams: Vec<&str> =
            parts.iter().flat_map(|part| &part.entries).map(|entry| entry.stream.as_str()).collect();
        assert_eq!(streams, ["stream:markets", "stream:dead_letters", "stream:markets"]);
        let letter = DeadLetter::decode(&parts[0].entries[1].body).unwrap();
        assert_eq!((letter.source.as_str(), letter.position.as_str()), ("gamma", "2"));
    }
}
