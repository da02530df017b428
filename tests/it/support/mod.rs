//! What the tests share.

pub mod catalogue;
pub mod cells;
pub mod clickhouse;
pub mod detour;
pub mod gate;
pub mod gateway;
pub mod lagging;
pub mod length;
pub mod logs;
pub mod lying;
pub mod node;
pub mod outside;
pub mod packages;
pub mod periodic;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod redis_release;
pub mod release;
pub mod restriction;
pub mod store;
pub mod stranger;
pub mod tables;
pub mod written;
