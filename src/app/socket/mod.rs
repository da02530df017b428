//! A running pipeline for others: they look at it and steer it over a socket in its data directory.

mod client;
mod lines;
mod place;
mod protocol;
mod served;
mod server;
mod session;

pub use client::{Client, ClientError, Reader, Writer};
pub use protocol::{Ask, Greeting, Hello, Message, PROTOCOL, Request};
pub(crate) use served::Served;
pub(crate) use server::Server;
