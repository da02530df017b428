//! What the screen asks of the world outside of it. `runtime` does it.

use crate::control::Command;

/// Something is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Ask(Command),
    Leave(Leave),
    Suspend,
    Repaint,
    Copy(String),
    SaveLog,
}

/// How the screen is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// And the pipeline ends, too.
    Stop,
    /// And the pipeline goes on without a screen.
    Detach,
}
