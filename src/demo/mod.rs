//! The demo world: the outside, from a seed.
//!
//! A [`World`] is a chain that never was, what two APIs know of its markets, and a subgraph of its V1 fills: markets,
//! wallets, orders and their fills, every block and every answer a pure function of the configuration and of the newest
//! block. A [`DemoServer`] speaks Polygon's JSON-RPC, Gamma, the Data API and GraphQL about it on loopback, with
//! [faults](FaultSwitches) that can be switched on while it runs. `--demo` shows polytape at work without the internet; the
//! tests compare the tables with the world's [`Oracle`] and [`SubgraphTruth`], or where nobody asks about markets with its
//! [`Truth`]; the benches take answers rendered ahead of time.
//!
//! ```text
//! WorldConfig ─▶ pace ─▶ matching ─┬▶ render ─▶ ledger ─▶ rpc ──────┐
//!       │       how many   intents ├▶ kept ─▶ row ─▶ subgraph ──────┤
//!       │                  ▲       └▶ trades ─┐       lies          │
//!       │                  │                  ├▶ oracle             ├▶ serve ─▶ listener ─▶ the wire
//!       └▶ wallets, roles, ┤                  │                     │  faults
//!          series          └▶ gamma ─┬▶ row ──┘                     │
//!          who and what     profiles ├▶ json ─▶ listing ────────────┤
//!                                    └▶ data api ───────────────────┘
//! ```
//!
//! The truth must never come from polytape's own readers: a log and its row, a market's JSON and its row are made from the
//! same plain terms by separate code, so a reader that is wrong disagrees with it.

mod api;
mod chain;
mod config;
mod faults;
mod fills;
mod gamma;
mod goldsky;
mod http;
mod ids;
mod market_row;
mod markets;
mod oracle;
mod rng;
mod server;
#[cfg(test)]
mod tests;
mod trade_row;
mod world;

pub use config::WorldConfig;
pub use faults::goldsky::SubgraphFaults;
pub use faults::lies::{Lies, Refusal, UnknownHash};
pub use faults::{Fault, FaultSwitches, Faults};
pub use market_row::MarketRow;
pub use oracle::Oracle;
pub use oracle::goldsky::SubgraphTruth;
pub use oracle::trades::{DeadLetterRow, Truth};
pub use server::{DemoServer, clock::Clock};
pub use trade_row::{Price, TradeRow};
pub use world::{Block, World};
