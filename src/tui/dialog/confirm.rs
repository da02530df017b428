//! Asks whether a command is meant. `No` is what Enter says at first.

use crate::tui::key::{Key, KeyCode};

use super::outcome::Outcome;
use crate::{control::Command, flow::StageId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirm {
    pub(crate) title: String,
    /// What will happen, in words.
    pub(crate) text: String,
    pub(crate) command: Command,
    /// Whether Enter says yes.
    pub(crate) yes: bool,
}

impl Confirm {
    /// Whether a command is meant. `resume` is the key that lets a stage go on.
    pub(crate) fn new(command: Command, resume: &str) -> Self {
        let (title, text) = match &command {
            Command::Restart { stage } => (
                format!("Restart {stage}?"),
                "It finishes what it has in hand, drops its connections and begins again from what is committed. \
                 Nothing is lost or doubled."
                    .to_owned(),
            ),
            Command::Stop { stage } => (
                format!("Stop {stage}?"),
                format!(
                    "It finishes what it has in hand and ends, until it is resumed with {resume}; also over restarts of \
                     polytape. What comes meanwhile waits in its stream."
                ),
            ),
            Command::Skip { stage } => (
                format!("Skip what {stage} cannot take?"),
                "It begins again, and what is bad of what its stream holds now goes to dead_letters, each with its bytes \
                 and the reason. Behind that, many bad ones in a row stop it again."
                    .to_owned(),
            ),
            Command::Cancel { id } => (
                format!("Cancel replay {id}?"),
                "What it has written stays: it is the same as what was there. The live work is not touched.".to_owned(),
            ),
            other => ("Is it meant?".to_owned(), format!("{}.", other.about())),
        };
        Self { title, text, command, yes: false }
    }

    /// The same of a replay, whose stage is known.
    pub(crate) fn cancel(job: &str, stage: StageId) -> Self {
        let title = format!("Cancel replay {job} of {stage}?");
        Self { title, ..Self::new(Command::Cancel { id: job.to_owned() }, "") }
    }

    pub(crate) fn key(&mut self, key: Key) -> Outcome {
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

    #[test]
    fn enter_says_no_unless_yes_was_chosen() {
        let key = |code| Key::from(code);
        let mut confirm = Confirm::new(Command::Stop { stage: StageId::WriteTrades }, "P");
        assert_eq!(confirm.clone().key(key(KeyCode::Enter)), Outcome::Closes);
        assert_eq!(
            confirm.clone().key(key(KeyCode::Char('y'))),
            Outcome::Asks(Command::Stop { stage: StageId::WriteTrades })
        );
        assert_eq!(confirm.key(key(KeyCode::Tab)), Outcome::Stays);
        assert_eq!(confirm.key(key(KeyCode::Enter)), Outcome::Asks(Command::Stop { stage: StageId::WriteTrades }));
    }
}
