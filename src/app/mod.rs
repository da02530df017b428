//! A running process: what it is put together from, and what ends it.

mod error;
mod hang_up;
mod running;
pub(crate) mod signals;
pub(crate) mod sources;
pub(crate) mod stores;

pub use error::AppError;
pub use hang_up::HangUp;
pub use running::Running;
