//! What every broker must do, shown on each that there is.

pub mod conformance;
mod embedded;
mod model;
pub mod redis;
