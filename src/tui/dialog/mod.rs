//! What asks before something happens.

mod confirm;
mod quit;
mod replay;

pub(crate) use confirm::Confirm;
pub(crate) use quit::QuitDialog;
pub(crate) use replay::{Field, ReplayForm};

use crate::stage::Command;

/// What a key made of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stays,
    Closes,
    Asks(Command),
}
