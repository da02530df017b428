//! What the tests share.

pub mod node;
pub mod process;
pub mod store;
pub mod tables;
