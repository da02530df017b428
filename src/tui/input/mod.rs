//! What comes from the terminal: keys, pastes, and much that is neither.
//!
//! A terminal answers questions on the same line on which keys come, also those of a program that ran before, and late: its
//! title, its version, its colours, the clipboard. As keys these would pause stages and fill forms, and crossterm 0.29
//! waits for ever for the end of some of them and takes every later key for a part of it. So the bytes are read here:
//!
//! `reader` reads them, on a thread of its own; `parser` finds where a sequence begins and ends, drops what is no key, and
//! gives up what does not end; `sequence` says which key a sequence is. What comes out are [`Input`]s.
//!
//! Never: a part of an answer becomes a key. A key that steers the pipeline is taken for one only where it came alone
//! ([`Input::alone`]): somebody who presses it does nothing else within `reader::SILENCE`.

mod parser;
mod reader;
mod sequence;

#[cfg(test)]
mod tests;

pub(crate) use reader::{Input, start};
