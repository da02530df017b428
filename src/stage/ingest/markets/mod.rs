//! `ingest-markets`: reads the source's listings into `stream:markets`.
//!
//! ```text
//! scheduler ── scan ── page ── dedup_cache ── parts ──append──▶ stream:markets
//!  what next  one scan       what changed
//! ```
//!
//! A scan that was cut off begins anew, except for the long one through the past, whose place is in the cursor. A market
//! that cannot be understood becomes a dead letter and does not harm its page.

mod dedup_cache;
mod gap;
mod ingest;
mod narrow;
mod parts;
mod scan;
mod scheduler;

pub(crate) use ingest::{IngestMarkets, IngestOptions};
