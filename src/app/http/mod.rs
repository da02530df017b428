//! What is told over HTTP: metrics, health, and the snapshot. Read-only.

mod health;
mod listener;
mod metrics;
mod server;

pub(crate) use server::{HttpServer, Told};
