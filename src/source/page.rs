//! What a source answers with: events in their order, up to a position.

use super::position::Position;
use crate::model::{DeadLetter, Fill};

/// One event of a page, in the order of its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceEvent<P = Position> {
    /// The position behind it, from which reading may go on.
    pub next: P,
    /// The fill, or why it is none.
    pub fill: Result<Fill, DeadLetter>,
}

/// Everything between the position that was asked for and `next`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<P = Position> {
    /// The events, in order. May be empty: that the range holds nothing is news, too.
    pub events: Vec<SourceEvent<P>>,
    /// The position behind the page.
    pub next: P,
}
