//! polytape: Polymarket's tape, from the chain into a table, exactly once.
//!
//! The library is the pipeline; the binary is a thin edge around it. `ARCHITECTURE.md` draws how the parts fit.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod backoff;
pub mod breaker;
pub mod broker;
pub mod cli;
mod clock;
pub mod config;
pub mod demo;
pub mod embedded;
pub mod failure;
pub mod headless;
pub mod logs;
pub mod model;
pub mod monitor;
pub mod planted;
pub mod secrets;
pub mod source;
pub mod stage;
mod tty;
pub mod tui;
mod units;
pub mod warehouse;
