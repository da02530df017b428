//! What reads the sources.

mod block_time;
pub(crate) mod fills;
pub(crate) mod markets;
mod parts;
