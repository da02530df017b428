//! What the tests share.

pub mod store;
