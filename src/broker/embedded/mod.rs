//! The broker inside `polytape.db`.
//!
//! The file holds entries, cursors and, for each group, what it has acknowledged. What was given out and to whom is
//! only in memory ([`ledger`]): a new process gives out everything that is not acknowledged, which is just what is
//! asked of it. A group has one reader at a time; opening another takes over from it.

mod broker;
mod error;
mod ledger;
mod reader;
mod shared;
mod sql;

pub use self::broker::EmbeddedBroker;
