//! What reads the sources.

pub(crate) mod fills;
pub(crate) mod markets;
mod next_head;
mod parts;
