//! The demo world: the outside, from a seed.
//!
//! A [`World`] is a chain that never was, and what two APIs know of its markets: markets, wallets, orders and their
//! fills, every block and every answer a pure function of the configuration and of the newest block. A [`DemoServer`]
//! speaks Polygon's JSON-RPC, Gamma and the Data API about it on loopback, with [faults](FaultSwitches) that can be
//! switched on while it runs. `--demo` shows polytape at work without the internet; the tests compare the tables with the
//! world's [`WholeTruth`], or where nobody asks about markets with its [`Truth`]; the benches take answers rendered ahead
//! of time.
//!
//! ```text
//! WorldConfig ─▶ pace ─▶ matching ─┬▶ render ─▶ ledger ─▶ rpc ──────┐
//!       │       how many   intents  └▶ truth ─┐       lies           │
//!       │                  ▲                  ├▶ whole truth         ├▶ serve ─▶ listener ─▶ the wire
//!       └▶ cast, roles, ───┤                  │                      │  faults
//!          series          └▶ gamma ─┬▶ row ──┘                      │
//!          who and what     profiles ├▶ json ─▶ listing ─────────────┤
//!                                    └▶ data api ────────────────────┘
//! ```
//!
//! The truth must never come from polytape's own readers: a log and its row, a market's JSON and its row are made from the
//! same plain terms by separate code, so a reader that is wrong disagrees with it.

mod asked;
mod calendar;
mod cast;
mod clock;
mod config;
mod control;
mod data_api;
mod dice;
mod faults;
mod filter;
mod gamma;
mod ids;
mod ledger;
mod lies;
mod listener;
mod market;
mod market_row;
mod matching;
mod others;
mod pace;
mod params;
mod range_error;
mod refusal;
mod render;
mod reply;
mod roles;
mod rpc;
mod series;
mod serve;
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
pub use lies::{Lies, Refusal, UnknownHash};
pub use market_row::MarketRow;
pub use server::DemoServer;
pub use trade_row::{Price, TradeRow};
pub use truth::{DeadLetterRow, Truth};
pub use whole_truth::WholeTruth;
pub use world::{Block, World};
