//! polytape: Polymarket's tape, from the chain into a table, exactly once.
//!
//! The library is the pipeline; the binary is a thin edge around it. `ARCHITECTURE.md` draws how the parts fit.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod app;
mod backoff;
pub mod breaker;
pub mod broker;
pub mod cli;
mod clock;
pub mod config;
pub mod control;
pub mod demo;
pub mod failure;
pub mod flow;
pub mod headless;
mod io_words;
pub mod logs;
pub mod model;
pub mod monitor;
mod nearest;
mod peer;
pub mod planted;
mod proxies;
pub mod secrets;
pub mod source;
pub mod sqlite;
pub mod stage;
pub mod streams;
mod toml_file;
mod tty;
pub mod tui;
mod units;
mod value;
pub mod warehouse;
