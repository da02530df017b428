//! The warehouse in ClickHouse: the tables of `schema/clickhouse`.
//!
//! A batch is encoded once and sent whole; whoever does not hear that it arrived sends the same bytes again. The tables replace a row by one
//! that is at least as complete, and every read here is `FINAL`, so that nobody sees it twice.

mod answer;
mod body;
mod check;
mod clients;
mod codes;
mod config;
mod confirmation;
mod connection;
mod control;
mod costs;
mod counts;
#[cfg(feature = "planted-bugs")]
mod defective;
pub(super) mod encode;
pub(super) mod error;
mod expected;
mod frames;
pub(super) mod identity;
mod list_scan;
mod look;
mod markets;
mod migrate;
mod name;
mod native;
mod newest;
mod pinning;
mod pins;
mod port;
mod post;
mod probe;
mod read_back;
mod rights;
mod row_binary;
mod schema;
mod server;
mod statement;
mod summary;
mod token;
mod trades;
mod transport;
mod two_times;
mod unresolved;
mod warehouse;
mod way;

pub(in crate::warehouse) use self::frames::Frames;
pub use self::server::{ClickhouseServer, OLDEST_CLICKHOUSE};
pub use self::{
    check::TableFault, config::ClickhouseConfig, confirmation::Confirmation, error::ClickhouseError, look::Looked,
    migrate::Migration, summary::QueryCost, two_times::TradeTimes, warehouse::ClickhouseWarehouse,
};
