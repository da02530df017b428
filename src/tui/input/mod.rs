//! What comes from the terminal: keys, pastes, and much that is neither.
//!
//! A terminal answers questions on the same line on which keys come, also those of a program that ran before, and late: its
//! title, its version, its colours, the clipboard. As keys these would pause stages and fill forms, and crossterm 0.29
//! waits for ever for the end of some of them and takes every later key for a part of it. So the bytes are read here:
//!
//! `reader` reads them, on a thread of its own; `parser` finds where a sequence begins and ends, drops what is no key, and
//! gives up what does not end; `sequence` says which key a sequence is. What comes out are crossterm's events.
//!
//! Never: a part of an answer becomes a key. A key that steers the pipeline is taken for one only where it came alone
//! ([`Input::alone`]): somebody who presses it does nothing else within [`SILENCE`].

mod parser;
mod reader;
mod sequence;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crossterm::event::Event;

pub(crate) use reader::start;

/// How long after its last byte a sequence is given up that has no end.
const PATIENCE: Duration = Duration::from_millis(100);

/// The same of a paste, which may be long, and come over a network.
const PATIENCE_OF_PASTE: Duration = Duration::from_millis(250);

/// How long there is nothing before and behind a key that came alone.
const SILENCE: Duration = Duration::from_millis(30);

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) event: Event,
    /// Whether nothing else came with it, before it or behind it. Known of the keys of which it was asked for, true of all
    /// others.
    pub(crate) alone: bool,
}
