//! A page of fills as appends.

use std::collections::VecDeque;

use crate::broker::{MAX_BYTES, MAX_ENTRIES, NewEntry, Stream};
use crate::model::entry::Packer;
use crate::source::{Page, Position, SourceEvent};
use crate::{flow::StreamId, stage::unpack::letter_entry};

/// As much of a page as one append carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) entries: Vec<NewEntry>,
    /// What the entries hold.
    pub(super) events: u64,
    /// Where it goes on behind them.
    pub(super) next: Position,
}

/// A page as appends: each within the limits of one, each with the position behind it, in entries of so many events.
pub(super) fn split(page: Page, batch: usize) -> VecDeque<Part> {
    let mut split =
        Split { parts: VecDeque::new(), open: Open::default(), packer: Packer::new(batch), packed: 0, at: None };
    for SourceEvent { next, fill } in page.events {
        match fill {
            Ok(fill) => {
                let full = split.packer.push(&fill);
                split.add_packed(full);
                split.packed += 1;
                split.at = Some(next);
            }
            Err(letter) => {
                split.flush();
                split.at = Some(next);
                split.add(letter_entry(&letter.clipped()), 1);
            }
        }
    }
    split.flush();
    split.close(page.next);
    split.parts
}

struct Split {
    parts: VecDeque<Part>,
    open: Open,
    packer: Packer,
    /// Events that the packer holds.
    packed: u64,
    /// The position behind the last event.
    at: Option<Position>,
}

/// A part that is not full.
#[derive(Default)]
struct Open {
    entries: Vec<NewEntry>,
    events: u64,
    bytes: usize,
    /// The position behind its last event.
    next: Option<Position>,
}

impl Split {
    fn flush(&mut self) {
        let body = self.packer.finish();
        self.add_packed(body);
    }

    fn add_packed(&mut self, body: Option<Vec<u8>>) {
        if let Some(body) = body {
            let events = std::mem::take(&mut self.packed);
            self.add(NewEntry { stream: Stream::of(StreamId::OrderEvents), body }, events);
        }
    }

    /// Adds an entry whose last event is the one in front of `at`.
    fn add(&mut self, entry: NewEntry, events: u64) {
        let is_full = self.open.entries.len() == MAX_ENTRIES || self.open.bytes + entry.body.len() > MAX_BYTES;
        if is_full && let Some(next) = self.open.next.clone() {
            self.close(next);
        }
        self.open.bytes += entry.body.len();
        self.open.events += events;
        self.open.entries.push(entry);
        self.open.next.clone_from(&self.at);
    }

    fn close(&mut self, next: Position) {
        let Open { entries, events, .. } = std::mem::take(&mut self.open);
        self.parts.push_back(Part { entries, events, next });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChainPosition, DeadLetter};

    fn letter(raw: usize) -> DeadLetter {
        let text = String::from;
        let (source, position, stage, reason) = (text("polygon"), text("p"), text("ingest-fills"), text("r"));
        DeadLetter { source, position, stage, reason, raw: vec![7; raw], first_seen: 0 }
    }

    fn page(events: u32, raw: usize) -> Page {
        let event = |i| SourceEvent { next: ChainPosition::after(5, i).into(), fill: Err(letter(raw)) };
        Page { events: (0..events).map(event).collect(), next: ChainPosition::start_of(6).into() }
    }

    #[test]
    fn a_page_is_split_within_the_limits_and_ends_where_it_ends() {
        for (events, raw, expected) in [(0, 0, 1), (1, 0, 1), (1000, 0, 1), (1001, 0, 2), (2500, 0, 3), (9, 1 << 20, 3)]
        {
            let parts = split(page(events, raw), 512);
            assert_eq!(parts.len(), expected, "{events} events of {raw} bytes");
            assert_eq!(parts.iter().map(|part| part.entries.len()).sum::<usize>(), events as usize);
            assert_eq!(parts.back().unwrap().next, ChainPosition::start_of(6).into());
            let mut seen = 0;
            for part in parts.iter().take(parts.len() - 1) {
                seen += u32::try_from(part.entries.len()).unwrap();
                assert_eq!(part.next, ChainPosition::after(5, seen - 1).into(), "it goes on behind the last entry");
            }
            for part in &parts {
                assert!(part.entries.len() <= MAX_ENTRIES);
                assert!(part.entries.iter().map(|entry| entry.body.len()).sum::<usize>() <= MAX_BYTES);
            }
        }
    }

    #[test]
    fn one_huge_event_still_fits_an_append() {
        let parts = split(page(1, 20 << 20), 512);
        assert!(parts[0].entries[0].body.len() <= MAX_BYTES);
    }
}
