//! An alert as the screen says it: what is so, and by which key it is helped.

use super::{action::Action, keymap::Keymap};
use crate::{control::Command, monitor::Alert};

/// Its text, with the keys of the commands that would help.
pub(crate) fn said(alert: &Alert, keymap: &Keymap) -> String {
    alert.helps.iter().fold(alert.text.clone(), |text, command| {
        let (action, before, does) = match command {
            Command::Resume { .. } => (Action::Pause, ": ", "lets it go on"),
            Command::Restart { .. } => (Action::Restart, ". ", "tries again"),
            Command::Skip { .. } => (Action::Skip, ". ", "leaves them to the dead letters"),
            _ => return text,
        };
        match keymap.key(action) {
            Some(key) => format!("{text}{before}{key} {does}"),
            None => text,
        }
    })
}
