//! Fills from Polygon JSON-RPC nodes, read with `eth_getLogs` up to the newest final block.
//!
//! ```text
//! page ── round ── endpoint ── http                    one POST, bounded in time and size
//!          │          ├─ reply, error_classifier       whose answer it is, what an error means
//!          │          └─ limits, pace                  what it allows, how often it is asked
//!          └─ read ── tip, ranges                      near the head by hash, further back in ranges
//!               └─ settle ── receipts, transactions    what is in doubt is read in another way
//!                    └─ block ── list, log             JSON to logs, logs to blocks that are checked
//! ```
//!
//! Public nodes lag, lie and limit, each in its own words. So nothing is believed that can be checked. The rules stand in a
//! file each:
//!
//! | rule | file |
//! |---|---|
//! | near the head a block is asked for by its hash, and an empty one needs more than one node's word | `tip`, `emptiness` |
//! | a row's time is its header's, and no header is from a time that cannot be | `time`, `headers` |
//! | indexes rise with transactions | `places` |
//! | an answer counts up to its last log; a round number of logs may be a cut | `ranges`, `caps` |
//! | the rows of a match add up, or are read twice | `balance`, `imbalances` |
//! | a refusal that is not understood makes the next range smaller | `limits` |
//! | a head is confirmed by another operator's node, or holds together with what is known; it may fall | `head`, `confirm` |
//! | one range in twenty is compared; who leaves logs out is distrusted, and what rested on it read again | `compare`, `trail` |
//! | unknown events and new implementations are told | `surprises`, `unknown` |
//! | what fails is asked less and less often | `pace` |
//! | two URLs of one operator are one opinion | `operator` |
//!
//! An answer that fails is refused as a whole and the next endpoint is asked; a page is never shorter than what it claims to
//! cover. Nothing here sleeps: an error that says when to come back goes to the caller.

mod balance;
mod block;
mod call;
mod caps;
mod case;
mod compare;
mod config;
mod confirm;
mod confirmed;
mod doubt;
mod elements;
mod emptiness;
mod endpoint;
mod error_classifier;
mod events;
mod failure;
mod filter;
mod head;
mod header;
mod headers;
mod hex;
mod http;
mod imbalances;
mod limits;
mod list;
mod log;
mod named;
mod nodes;
mod operator;
mod pace;
mod page;
mod places;
mod provider;
mod range;
mod ranges;
mod read;
mod reading;
mod receipts;
mod reply;
mod resolve;
mod round;
mod samples;
mod section;
mod settle;
mod single;
mod span;
mod surprises;
#[cfg(test)]
mod tests;
mod time;
mod tip;
mod trail;
mod transactions;
mod unknown;

pub use self::config::{PolygonConfig, PolygonConfigError};
pub use self::{nodes::Polygon, section::PolygonSection};
