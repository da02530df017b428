//! Which key does what. The defaults are `assets/keymap.toml`; a file of the same form may lay others over them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crokey::{KeyCombination, KeyCombinationFormat};
use crossterm::event::{KeyEvent, KeyModifiers};
use serde::Deserialize;

use super::action::{Action, Place};

/// The defaults.
pub(crate) const DEFAULTS: &str = include_str!("../../assets/keymap.toml");

/// Why a key map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeymapError {
    /// It is not there.
    #[error("cannot read the key map {}: {cause}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        cause: std::io::Error,
    },
    /// It is no key map.
    #[error("the key map {}: {message}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// Keys and what they do.
#[derive(Clone, Debug)]
pub struct Keymap {
    everywhere: BTreeMap<String, Action>,
    logs: BTreeMap<String, Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    everywhere: BTreeMap<String, String>,
    #[serde(default)]
    logs: BTreeMap<String, String>,
}

impl Keymap {
    /// The defaults.
    pub fn defaults() -> Self {
        // They are part of the program: a test reads them.
        Self::over(Self { everywhere: BTreeMap::new(), logs: BTreeMap::new() }, DEFAULTS)
            .unwrap_or_else(|_| Self { everywhere: BTreeMap::new(), logs: BTreeMap::new() })
    }

    /// The defaults, and a file over them.
    pub fn load(path: &Path) -> Result<Self, KeymapError> {
        let text =
            std::fs::read_to_string(path).map_err(|cause| KeymapError::Unreadable { path: path.to_owned(), cause })?;
        Self::over(Self::defaults(), &text).map_err(|message| KeymapError::Wrong { path: path.to_owned(), message })
    }

    fn over(mut self, text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.message().replace('\n', " "))?;
        for (keys, map) in [(file.everywhere, &mut self.everywhere), (file.logs, &mut self.logs)] {
            for (key, name) in keys {
                let action = Action::named(&name).ok_or_else(|| format!("{name:?} is no action"))?;
                map.insert(show(parse(&key)?), action);
            }
        }
        Ok(self)
    }

    /// What a key does in a place.
    pub(crate) fn action(&self, key: KeyEvent, place: Place) -> Option<Action> {
        let key = show(KeyCombination::from(key).normalized());
        let here = if place == Place::Logs { self.logs.get(&key) } else { None };
        here.or_else(|| self.everywhere.get(&key)).copied()
    }

    /// Whether a key steers the pipeline somewhere, and could be a part of what a terminal sends by itself: that holds no
    /// control characters, so that Ctrl-C always counts.
    pub(crate) fn is_guarded(&self, key: &KeyEvent) -> bool {
        let steers = |place| self.action(*key, place).is_some_and(Action::steers);
        !key.modifiers.contains(KeyModifiers::CONTROL) && (steers(Place::Everywhere) || steers(Place::Logs))
    }

    /// The keys of an action, the shortest first.
    pub(crate) fn keys(&self, action: Action) -> Vec<&str> {
        let map = match action.about().place {
            Place::Everywhere => &self.everywhere,
            Place::Logs => &self.logs,
        };
        let mut keys: Vec<&str> =
            map.iter().filter(|(_, does)| **does == action).map(|(key, _)| key.as_str()).collect();
        keys.sort_by_key(|key| (key.len(), *key));
        keys
    }
}

/// A key as the file has it. An upper-case letter is itself.
fn parse(key: &str) -> Result<KeyCombination, String> {
    let mut chars = key.chars();
    let spelt = match (chars.next(), chars.next()) {
        (Some(letter), None) if letter.is_ascii_uppercase() => format!("shift-{}", letter.to_ascii_lowercase()),
        (Some('-'), None) => "minus".to_owned(),
        _ => key.to_owned(),
    };
    crokey::parse(&spelt).map(KeyCombination::normalized).map_err(|_| format!("{key:?} is no key"))
}

/// A key as it is shown: `P`, `Ctrl-c`, `PageUp`.
fn show(key: KeyCombination) -> String {
    let text = KeyCombinationFormat::default().with_implicit_shift().to_string(key);
    match text.as_str() {
        "Hyphen" => "-".to_owned(),
        "BackTab" | "Shift-BackTab" => "BackTab".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::action::ACTIONS;
    use super::*;
    use crossterm::event::KeyCode;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn every_action_has_a_key_and_every_line_of_the_file_is_understood() {
        let keymap = Keymap::over(Keymap { everywhere: BTreeMap::new(), logs: BTreeMap::new() }, DEFAULTS).unwrap();
        for about in ACTIONS {
            assert!(!keymap.keys(about.action).is_empty(), "{}", about.name);
        }
        let lines = DEFAULTS.lines().filter(|line| line.contains(" = \"") && !line.starts_with('#')).count();
        assert_eq!(keymap.everywhere.len() + keymap.logs.len(), lines);
    }

    #[test]
    fn keys_are_found_as_a_terminal_sends_them() {
        let keymap = Keymap::defaults();
        let action = |code, modifiers| keymap.action(key(code, modifiers), Place::Everywhere);
        let none = KeyModifiers::NONE;
        for (code, modifiers, expected) in [
            (KeyCode::Char('P'), KeyModifiers::SHIFT, Some(Action::Pause)),
            (KeyCode::Char('P'), none, Some(Action::Pause)),
            (KeyCode::Char('p'), none, None),
            (KeyCode::Char('G'), KeyModifiers::SHIFT, Some(Action::Bottom)),
            (KeyCode::Char('g'), none, Some(Action::Top)),
            (KeyCode::Char('?'), none, Some(Action::Help)),
            (KeyCode::Char('?'), KeyModifiers::SHIFT, Some(Action::Help)),
            (KeyCode::Char(':'), none, Some(Action::Palette)),
            (KeyCode::Char('!'), none, Some(Action::Alerts)),
            (KeyCode::Char(' '), none, Some(Action::Freeze)),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, Some(Action::Quit)),
            (KeyCode::BackTab, KeyModifiers::SHIFT, Some(Action::PreviousPane)),
            (KeyCode::Tab, none, Some(Action::NextPane)),
            (KeyCode::PageDown, none, Some(Action::PageDown)),
            (KeyCode::Char('-'), none, None),
        ] {
            assert_eq!(action(code, modifiers), expected, "{code:?} {modifiers:?}");
        }
        for (code, expected) in
            [('-', Action::LogLess), ('+', Action::LogMore), ('/', Action::Find), ('N', Action::FindPrevious)]
        {
            let found = keymap.action(key(KeyCode::Char(code), none), Place::Logs);
            assert_eq!(found, Some(expected), "{code}");
        }
    }

    #[test]
    fn a_file_lays_keys_over_the_defaults_and_says_what_is_wrong() {
        let keymap = Keymap::defaults().over("[everywhere]\n\"p\" = \"pause\"\n\"f5\" = \"repaint\"").unwrap();
        assert_eq!(keymap.keys(Action::Pause), ["P", "p"]);
        assert_eq!(keymap.action(key(KeyCode::F(5), KeyModifiers::NONE), Place::Logs), Some(Action::Repaint));
        let wrong = |text| Keymap::defaults().over(text).unwrap_err();
        assert_eq!(wrong("[everywhere]\n\"p\" = \"jump\""), "\"jump\" is no action");
        assert_eq!(wrong("[everywhere]\n\"hyper-q\" = \"quit\""), "\"hyper-q\" is no key");
        assert!(wrong("[nowhere]\n").contains("unknown field"), "{}", wrong("[nowhere]\n"));
    }

    #[test]
    fn what_steers_is_guarded_and_ctrl_c_never_is() {
        let keymap = Keymap::defaults().over("[everywhere]\n\"f9\" = \"restart\"\n\"ctrl-p\" = \"pause\"").unwrap();
        let none = KeyModifiers::NONE;
        for (code, modifiers, expected) in [
            (KeyCode::Char('P'), KeyModifiers::SHIFT, true),
            (KeyCode::Char('X'), KeyModifiers::SHIFT, true),
            (KeyCode::Char('u'), none, true),
            (KeyCode::Char('q'), none, true),
            (KeyCode::F(9), none, true),
            (KeyCode::Char('j'), none, false),
            (KeyCode::Char('G'), KeyModifiers::SHIFT, false),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, false),
            (KeyCode::Char('p'), KeyModifiers::CONTROL, false),
        ] {
            assert_eq!(keymap.is_guarded(&key(code, modifiers)), expected, "{code:?}");
        }
    }

    #[test]
    fn lower_case_letters_never_change_the_pipeline() {
        let keymap = Keymap::defaults();
        for action in [Action::Pause, Action::Restart, Action::Replay, Action::Stop] {
            assert!(keymap.keys(action).iter().all(|key| key.chars().all(char::is_uppercase)), "{action:?}");
        }
    }
}
