//! Who works: the stages.
//!
//! A stage moves entries from where it reads to where it writes, one step after the other. Between two
//! steps it may be drained, and anywhere it may be killed: what it has not committed it is given again. What it holds
//! stays in hand over a passing failure, and is dropped when its connection is renewed.

pub(crate) mod guarded;
pub(crate) mod halve;
pub(crate) mod ingest;
pub(crate) mod linger;
pub(crate) mod portions;
pub(crate) mod process;
pub(crate) mod refusals;
pub(crate) mod resolve;
pub(crate) mod step;
pub(crate) mod unpack;
pub(crate) mod write;
