//! What the tests share.

pub mod catalogue;
pub mod clickhouse;
pub mod gate;
pub mod gateway;
pub mod length;
pub mod logs;
pub mod lying;
pub mod node;
pub mod outside;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod store;
pub mod tables;
pub mod written;
