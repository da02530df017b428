//! The demo world: the outside, from a seed.
//!
//! A [`World`] is a chain that never was: markets, wallets, orders and their fills, every block a pure function of the
//! configuration. A [`DemoServer`] speaks Polygon's JSON-RPC about it on loopback, with [faults](FaultSwitches) that
//! can be switched on while it runs. `--demo` shows polytape at work without the internet; the tests compare the tables
//! with the world's [`Truth`]; the benches take answers rendered ahead of time.
//!
//! ```text
//! WorldConfig ─▶ pace ─▶ matching ─┬▶ render ─▶ ledger ─▶ rpc ─▶ faults, listener ─▶ the wire
//!               how many   intents  └▶ truth                          server
//! ```
//!
//! The truth must never come from polytape's own decoder: a log and its expected row are made from the same intent by
//! separate code, so a decoder that is wrong disagrees with it.

mod calendar;
mod cast;
mod clock;
mod config;
mod data_api;
mod dice;
mod faults;
mod filter;
mod gamma;
mod ids;
mod ledger;
mod listener;
mod market;
mod market_row;
mod matching;
mod pace;
mod params;
mod range_error;
mod render;
mod reply;
mod roles;
mod rpc;
mod series;
mod server;
#[cfg(test)]
mod tests;
mod trade_row;
mod truth;
mod whole_truth;
mod world;

pub use clock::Clock;
pub use config::WorldConfig;
pub use faults::{Fault, FaultSwitches, Faults};
pub use market_row::MarketRow;
pub use server::DemoServer;
pub use trade_row::{Price, TradeRow};
pub use truth::{DeadLetterRow, Truth};
pub use whole_truth::WholeTruth;
pub use world::{Block, World};
