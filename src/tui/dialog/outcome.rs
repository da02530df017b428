//! What a key made of a dialog.

use crate::control::Command;

/// What a key made of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stays,
    Closes,
    Asks(Command),
}
