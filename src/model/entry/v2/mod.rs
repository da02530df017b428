//! Version 2 of the entries of fills and trades: a batch of events.
//!
//! ```text
//!  0        1         3        4             12           20          24           28
//!  version  events    kind     first place   last place   checksum    checksum     the events
//!  2        u16       u8       u64           u64          of 0..20    of 28..
//! ```
//!
//! Numbers of the head are big-endian. A place is a block number, or a unix second where the source has no blocks ([`Span`]). Both
//! checksums are CRC-32: where only the events are damaged, the head still says what has to be read again. An event is postcard,
//! and what repeats between events is said once. These shapes are on disk: never change them, add a version.

mod head;
mod row;
mod seen;

pub(super) use head::VERSION;
pub use head::{Span, weight};
use {head::Kind, row::Reader, row::Writer};

use super::error::{EntryError, RefusedEvent};
use crate::model::{Fill, GoldskyTrade, Resolution, Trade};

/// Events in an entry, at most.
pub const MAX_EVENTS: usize = 512;

/// Bytes of an entry, at most. An event that is larger stands alone.
pub const MAX_ENTRY_BYTES: usize = 64 << 10;

/// What travels in batches: a fill, with or without what is known of its token.
pub trait Event: Sized {
    /// Whether it says what is known of its token.
    const IS_RESOLVED: bool;

    /// Its fill.
    fn fill(&self) -> &Fill;

    /// What is known of its token, if it says that.
    fn resolution(&self) -> Option<&Resolution>;

    /// The event of a fill; `None` without a resolution where it says one.
    fn of(fill: Fill, resolution: Option<Resolution>) -> Option<Self>;
}

impl Event for Fill {
    const IS_RESOLVED: bool = false;

    fn fill(&self) -> &Fill {
        self
    }

    fn resolution(&self) -> Option<&Resolution> {
        None
    }

    fn of(fill: Fill, _: Option<Resolution>) -> Option<Self> {
        Some(fill)
    }
}

impl Event for Trade {
    const IS_RESOLVED: bool = true;

    fn fill(&self) -> &Fill {
        &self.fill
    }

    fn resolution(&self) -> Option<&Resolution> {
        Some(&self.resolution)
    }

    fn of(fill: Fill, resolution: Option<Resolution>) -> Option<Self> {
        Some(Self { fill, resolution: resolution? })
    }
}

const fn kind_of<E: Event>() -> Kind {
    if E::IS_RESOLVED { Kind::Trades } else { Kind::Fills }
}

/// Packs events into entries, in order.
pub struct Packer {
    most: usize,
    open: Option<Open>,
}

/// An entry that is being packed.
struct Open {
    kind: Kind,
    events: usize,
    span: Span,
    writer: Writer,
}

impl Packer {
    /// One that puts so many events into an entry, at most; never more than [`MAX_EVENTS`].
    pub fn new(most: usize) -> Self {
        Self { most: most.clamp(1, MAX_EVENTS), open: None }
    }

    /// Adds an event. The entry of those before it comes out where this one does not fit there.
    pub fn push<E: Event>(&mut self, event: &E) -> Option<Vec<u8>> {
        let (kind, place) = (kind_of::<E>(), Span::of_fill(event.fill()));
        let mut full = None;
        if self.open.as_ref().is_some_and(|open| !open.takes(kind, place, self.most)) {
            full = self.finish();
        }
        let open = self.open.get_or_insert_with(|| Open { kind, events: 0, span: place, writer: Writer::new() });
        let before = open.writer.bytes().len();
        open.write(event);
        if open.events > 0 && head::SIZE + open.writer.bytes().len() > MAX_ENTRY_BYTES {
            full = Some(head::write(open.events, open.kind, open.span, &open.writer.bytes()[..before]));
            *open = Open { kind, events: 0, span: place, writer: Writer::new() };
            open.write(event);
        }
        open.events += 1;
        open.span = open.span.with(place);
        full
    }

    /// The entry of what was added since the last one.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        let open = self.open.take()?;
        Some(head::write(open.events, open.kind, open.span, open.writer.bytes()))
    }
}

impl Open {
    fn takes(&self, kind: Kind, place: Span, most: usize) -> bool {
        self.events < most && self.kind == kind && self.span.is_time == place.is_time
    }

    fn write<E: Event>(&mut self, event: &E) {
        self.writer.fill(event.fill());
        if let Some(resolution) = event.resolution() {
            self.writer.resolution(resolution);
        }
    }
}

impl Span {
    /// The place of a fill.
    fn of_fill(fill: &Fill) -> Self {
        let is_time = GoldskyTrade::has(fill);
        let place = if is_time { fill.timestamp } else { fill.block_number };
        Self { first: place, last: place, is_time }
    }

    /// From the first to the last place of both.
    fn with(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last), ..self }
    }
}

/// The events of an entry, each with why it is refused where it is. An error where the entry as a whole is damaged.
pub(super) fn read<E: Event>(body: &[u8]) -> Result<Vec<Result<E, RefusedEvent>>, EntryError> {
    let (events, rows) = head::read(body, kind_of::<E>())?;
    if events == 0 || events > MAX_EVENTS {
        return Err(EntryError::Malformed(format!("it says that it holds {events} events")));
    }
    let mut reader = Reader::new(rows);
    let mut read = Vec::with_capacity(events);
    for _ in 0..events {
        let event = read_event(&mut reader).ok_or_else(|| EntryError::Malformed("an event is cut off".to_owned()))?;
        read.push(event);
    }
    match reader.rest() {
        [] => Ok(read),
        rest => Err(EntryError::Malformed(format!("{} bytes too many", rest.len()))),
    }
}

fn read_event<E: Event>(reader: &mut Reader<'_>) -> Option<Result<E, RefusedEvent>> {
    let begin = reader.rest();
    let fill = reader.fill()?;
    let resolution = if E::IS_RESOLVED { Some(reader.resolution()?) } else { None };
    match fill {
        Ok(fill) => E::of(fill, resolution).map(Ok),
        Err(error) => {
            let raw = begin[..begin.len() - reader.rest().len()].to_vec();
            Some(Err(RefusedEvent { error, raw }))
        }
    }
}

#[cfg(test)]
mod tests;
