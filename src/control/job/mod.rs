//! Replays: a part of the past, done again beside the live work.
//!
//! What the streams still hold is read again by a group that is there for nothing else, so that trimming respects it and a
//! kill does not lose the place. A range of the chain is read again by a worker that writes what it reads straight into the
//! tables ([`fills`]). Neither moves anything that is live, and by its identity every row is there once.
//!
//! Of the processes that run its stage one does it ([`Broker::acquire_lease`](crate::broker::Broker::acquire_lease)), and the others stand by.

pub(crate) mod fills;
pub(crate) mod registry;
mod replay;

pub use replay::JobStatus;
pub(crate) use replay::{DOUBT, Job, stream_of};
