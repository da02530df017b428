//! What every broker must do, shown on each that there is.

mod conformance;
mod embedded;
mod model;
mod redis;
