//! Asks how the screen is to be left.

use crate::tui::key::{Key, KeyCode};

use crate::tui::{effect::Leave, exits::Exits};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QuitDialog {
    pub(crate) exits: Exits,
    pub(crate) at: usize,
}

impl QuitDialog {
    pub(crate) fn new(exits: Exits) -> Self {
        let default = exits.default_choice();
        let way = default.and_then(|leave| exits.ways().iter().position(|way| *way == leave));
        Self { exits, at: way.unwrap_or(exits.ways().len()) }
    }

    /// What can be chosen: a key, a name, and what it does.
    pub(crate) fn choices(&self) -> Vec<(char, &'static str, &'static str, Option<Leave>)> {
        let choice = |leave: &Leave| match leave {
            Leave::Stop => ('s', "Stop", "finish what is in hand and exit", Some(Leave::Stop)),
            Leave::Detach => ('d', "Detach", "the pipeline goes on without a screen", Some(Leave::Detach)),
        };
        self.exits.ways().iter().map(choice).chain([('c', "Cancel", "stay here", None)]).collect()
    }

    /// The choice, once it is made.
    #[allow(clippy::option_option)]
    pub(crate) fn key(&mut self, key: Key) -> Option<Option<Leave>> {
        let choices = self.choices();
        match key.code {
            KeyCode::Enter => return choices.get(self.at).map(|choice| choice.3),
            KeyCode::Esc | KeyCode::Char('q') => return Some(None),
            KeyCode::Char(typed) => {
                if let Some(choice) = choices.iter().find(|choice| choice.0 == typed) {
                    return Some(choice.3);
                }
                match typed {
                    'j' | 'l' => self.at += 1,
                    'k' | 'h' => self.at += choices.len() - 1,
                    _ => {}
                }
            }
            KeyCode::Tab | KeyCode::Down | KeyCode::Right => self.at += 1,
            KeyCode::BackTab | KeyCode::Up | KeyCode::Left => self.at += choices.len() - 1,
            _ => {}
        }
        self.at %= choices.len();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_stays_where_the_pipeline_could_be_stopped_by_mistake() {
        let key = |code| Key::from(code);
        assert_eq!(QuitDialog::new(Exits::StopOrDetach).key(key(KeyCode::Enter)), Some(None));
        assert_eq!(QuitDialog::new(Exits::Stop).key(key(KeyCode::Enter)), Some(Some(Leave::Stop)));
        assert_eq!(QuitDialog::new(Exits::StopOrDetach).key(key(KeyCode::Char('d'))), Some(Some(Leave::Detach)));
        assert_eq!(QuitDialog::new(Exits::Stop).key(key(KeyCode::Char('d'))), None);
        let mut dialog = QuitDialog::new(Exits::StopOrDetach);
        assert_eq!(dialog.key(key(KeyCode::Down)), None);
        assert_eq!(dialog.key(key(KeyCode::Enter)), Some(Some(Leave::Stop)), "around the end to the first one");
        for attached in [Exits::Attached, Exits::ReadOnly] {
            assert_eq!(QuitDialog::new(attached).key(key(KeyCode::Enter)), Some(Some(Leave::Detach)));
        }
        assert_eq!(QuitDialog::new(Exits::Attached).key(key(KeyCode::Char('s'))), Some(Some(Leave::Stop)));
        assert_eq!(QuitDialog::new(Exits::ReadOnly).key(key(KeyCode::Char('s'))), None);
    }
}
