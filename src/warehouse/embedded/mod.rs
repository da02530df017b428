//! The warehouse inside `polytape.db`: the tables of `schema/embedded/0002_warehouse.sql` and `0003_markets.sql`.

mod commands;
mod control;
mod counts;
#[cfg(feature = "planted-bugs")]
mod defective;
mod error;
mod inspect;
pub(super) mod markets;
mod readers;
pub(super) mod rows;
mod trades;
mod unresolved;
mod warehouse;

pub use self::inspect::{StoreOrigin, StoreSummary, inspect, origin};
pub use self::warehouse::EmbeddedWarehouse;
