//! What every warehouse must do, shown on each that there is.

pub mod clickhouse;
mod confirm;
pub mod conformance;
mod defects;
mod embedded;
mod goldsky_conformance;
mod lagging;
mod layout;
mod market_conformance;
mod migration;
mod pins;
mod releases;
mod unresolved;
