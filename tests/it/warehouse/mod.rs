//! What every warehouse must do, shown on each that there is.

pub mod clickhouse;
mod confirm;
pub mod conformance;
mod embedded;
mod market_conformance;
mod unresolved;
