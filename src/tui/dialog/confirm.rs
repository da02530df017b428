//! Asks whether a command is meant. `No` is what Enter says at first.

use crossterm::event::{KeyCode, KeyEvent};

use super::Outcome;
use crate::stage::{Command, StageName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirm {
    pub(crate) title: String,
    /// What will happen, in words.
    pub(crate) text: &'static str,
    pub(crate) command: Command,
    /// Whether Enter says yes.
    pub(crate) yes: bool,
}

impl Confirm {
    pub(crate) fn restart(stage: StageName) -> Self {
        Self {
            title: format!("Restart {stage}?"),
            text: "It finishes what it has in hand, drops its connections and begins again from what is committed. \
                   Nothing is lost or doubled.",
            command: Command::Restart(stage),
            yes: false,
        }
    }

    pub(crate) fn stop(stage: StageName) -> Self {
        Self {
            title: format!("Stop {stage}?"),
            text: "It finishes what it has in hand and ends, until it is resumed with P; also over restarts of polytape. \
                   What comes meanwhile waits in its stream.",
            command: Command::Stop(stage),
            yes: false,
        }
    }

    pub(crate) fn skip(stage: StageName) -> Self {
        Self {
            title: format!("Skip what {stage} cannot take?"),
            text: "It begins again, and what is bad of what its stream holds now goes to dead_letters, each with its bytes \
                   and the reason. Behind that, many bad ones in a row stop it again.",
            command: Command::Skip(stage),
            yes: false,
        }
    }

    pub(crate) fn cancel(job: &str, stage: StageName) -> Self {
        Self {
            title: format!("Cancel replay {job} of {stage}?"),
            text: "What it has written stays: it is the same as what was there. The live work is not touched.",
            command: Command::Cancel(job.to_owned()),
            yes: false,
        }
    }

    pub(crate) fn key(&mut self, key: KeyEvent) -> Outcome {
        match key.code {
            KeyCode::Char('y') => return Outcome::Asks(self.command.clone()),
            KeyCode::Enter if self.yes => return Outcome::Asks(self.command.clone()),
            KeyCode::Enter | KeyCode::Esc | KeyCode::Char('n' | 'q') => return Outcome::Closes,
            KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right | KeyCode::Char('h' | 'l') => {
                self.yes = !self.yes;
            }
            _ => {}
        }
        Outcome::Stays
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyModifiers;

    #[test]
    fn enter_says_no_unless_yes_was_chosen() {
        let key = |code| KeyEvent::new(code, KeyModifiers::NONE);
        let mut confirm = Confirm::stop(StageName::WriteTrades);
        assert_eq!(confirm.clone().key(key(KeyCode::Enter)), Outcome::Closes);
        assert_eq!(confirm.clone().key(key(KeyCode::Char('y'))), Outcome::Asks(Command::Stop(StageName::WriteTrades)));
        assert_eq!(confirm.key(key(KeyCode::Tab)), Outcome::Stays);
        assert_eq!(confirm.key(key(KeyCode::Enter)), Outcome::Asks(Command::Stop(StageName::WriteTrades)));
    }
}
