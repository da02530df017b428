//! The broker on Redis Streams.
//!
//! Every operation is one script in `lua/`: all of its checks, then its writes. Each names the session that it belongs to
//! (`state:generation`), so that whatever happens to Redis is noticed by the next call, whoever makes it.
//!
//! | key (behind the prefix) | |
//! |---|---|
//! | `stream:…` | a stream; an entry is one field, `v` |
//! | `state:<stage>:<source>` | a cursor, as it comes in |
//! | `state:generation` | which session it is |
//! | `tally:<stream>` | a hash: entries and bytes ever added and removed, what each group is done with, fencing tokens of readers |
//! | `proc:<consumer>` | is there as long as a process lives |
//! | `hold:<name>` | the lease on a job that one process does |
//!
//! **Sizes.** Redis knows no bytes of a stream, and its `lag` is null or wrong after a trim. So the scripts count: what was
//! added, removed, and done by each group. What a group has left is the difference, of which Redis's pending list says
//! exactly how much is given out. Nothing is estimated, and no count walks a stream, but for a group that is opened in the
//! middle of one and streams that somebody else changed. That is noticed: every script compares the length of its
//! streams with the count, and a difference is a loss.
//!
//! **Processes.** Several may read for one group. What one holds is taken by others once it is dead: its `proc:` key is
//! gone, or it has given its reader up. One server, or a primary and its replicas, or the node of a cluster that holds all
//! keys: a script spans streams, so there they need a hash tag in the prefix.

mod broker;
mod code;
mod config;
mod denied;
mod explain;
pub(super) mod failure;
mod heartbeat;
mod holding;
mod inner;
mod keys;
mod link;
mod look;
mod random;
mod reader;
mod reply;
mod rights;
mod script;
mod server;
mod stranger;
mod way;

pub use self::server::{RedisMode, RedisServer};
pub use self::{broker::RedisBroker, config::RedisConfig, failure::RedisFailure, look::RedisLook};
