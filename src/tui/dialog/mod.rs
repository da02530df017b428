//! What asks before something happens.

mod confirm;
mod outcome;
mod quit;
mod replay;

pub(crate) use confirm::Confirm;
pub(crate) use outcome::Outcome;
pub(crate) use quit::QuitDialog;
pub(crate) use replay::{Field, ReplayForm};
