//! What the tests share.

pub mod process;
pub mod store;
pub mod tables;
