//! The tests over real stores, sockets and processes.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, unreachable_pub)]

mod broker;
mod cli;
mod control;
mod goldsky;
mod handle;
mod house;
mod kill;
mod markets;
mod network;
mod pipeline;
mod predecessor;
mod proof;
mod pty;
mod recorded;
mod servers;
mod sources;
mod support;
mod upgrade;
mod warehouse;
