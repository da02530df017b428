//! A running process: what it is put together from, and what ends it.

pub(crate) mod caller;
mod error;
mod hang_up;
pub(crate) mod http;
mod running;
pub(crate) mod service;
pub(crate) mod signals;
pub mod socket;
pub(crate) mod sources;
pub(crate) mod stores;

pub use error::AppError;
pub use hang_up::HangUp;
pub use running::Running;
