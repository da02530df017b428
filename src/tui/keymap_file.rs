//! Reads a key map. The defaults are `assets/keymap.toml`; a file of the same form may lay others over them.

use std::path::{Path, PathBuf};

use crokey::KeyCombination;
use toml::de::DeValue;

use super::keymap::{Keymap, show};
use super::{action::Action, catalogue, view};
use crate::io_words::why;
use crate::nearest::{listed, nearest};
use crate::toml_file::{self, Fault, is_name};

/// The defaults.
pub(crate) const DEFAULTS: &str = include_str!("../../assets/keymap.toml");

/// Why a key map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeymapError {
    /// It is not there.
    #[error("cannot read the key map {}, which [ui] keymap names: {why}; \"\" is for the usual keys", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is no key map.
    #[error("the key map {} {fault}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Its line, and what is wrong there.
        fault: String,
    },
}

impl Keymap {
    /// The defaults.
    pub fn defaults() -> Self {
        // They are part of the program: a test reads them.
        Self::unbound().over(DEFAULTS).unwrap_or_default()
    }

    /// The defaults, and a file over them.
    pub fn load(path: &Path) -> Result<Self, KeymapError> {
        let unreadable = |cause| KeymapError::Unreadable { path: path.to_owned(), why: why(&cause) };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let wrong = |fault: Fault| KeymapError::Wrong { path: path.to_owned(), fault: fault.to_string() };
        Self::defaults().over(&text).map_err(wrong)
    }

    /// No keys yet, but which view owns what.
    fn unbound() -> Self {
        let own = view::all().flat_map(|view| view.actions.iter().map(move |about| (about.action, view.id())));
        Self { owners: own.collect(), ..Self::default() }
    }

    fn over(mut self, text: &str) -> Result<Self, Fault> {
        let document = toml_file::parse(text)?;
        for (section, keys) in document.get_ref() {
            let name = section.get_ref().as_ref();
            let fault = |message: &str| Fault::at(text, &section.span(), format!("[{name}]"), message);
            let map = match (name, view::named(name).filter(|view| !view.actions.is_empty())) {
                ("everywhere", _) => &mut self.everywhere,
                (_, Some(view)) => self.views.entry(view.id()).or_default(),
                _ if !is_name(name) => return Err(Fault { name: String::new(), ..fault(&sections()) }),
                _ => return Err(fault(&sections())),
            };
            let Some(keys) = keys.get_ref().as_table() else { return Err(fault(&sections())) };
            for (key, action) in keys {
                let fault = |span, message| Fault::at(text, &span, name_of(key.get_ref()), message);
                let found = key_of(key.get_ref()).map_err(|message| fault(key.span(), message))?;
                let action = action_of(action.get_ref()).map_err(|message| fault(action.span(), message))?;
                map.insert(show(found), action);
            }
        }
        Ok(self)
    }
}

/// What a key map looks like.
fn sections() -> String {
    let own = view::all().filter(|view| !view.actions.is_empty());
    let own: Vec<String> = own.map(|view| format!("[{}]", view.id().name())).collect();
    format!("a key map has the sections [everywhere] and {}, with lines such as \"f5\" = \"repaint\"", own.join(", "))
}

/// What keys look like.
const KEYS: &str = "write \"P\", \"f5\", \"ctrl-p\", \"alt-enter\" or \"pageup\"";

/// A key in quotes, as it stands in the file.
fn name_of(key: &str) -> String {
    let is_short = key.chars().count() <= 20 && !key.chars().any(char::is_control);
    if is_short { format!("{key:?}") } else { String::new() }
}

/// A key as the file has it. An upper-case letter is itself.
fn key_of(key: &str) -> Result<KeyCombination, String> {
    let mut chars = key.chars();
    let spelt = match (chars.next(), chars.next()) {
        (Some(letter), None) if letter.is_ascii_uppercase() => format!("shift-{}", letter.to_ascii_lowercase()),
        (Some('-'), None) => "minus".to_owned(),
        _ => key.to_owned(),
    };
    crokey::parse(&spelt).map(KeyCombination::normalized).map_err(|_| {
        let (modifiers, last) = key.rsplit_once('-').map_or(("", key), |(modifiers, last)| (modifiers, last));
        let modifier = modifiers.split('-').find(|modifier| !MODIFIERS.contains(&modifier.to_lowercase().as_str()));
        let meant = match modifier.filter(|_| !modifiers.is_empty()) {
            Some(modifier) => nearest(modifier, MODIFIERS),
            None => nearest(last, NAMED_KEYS),
        };
        match meant {
            Some(meant) => format!("is no key: is {meant} meant? {KEYS}"),
            None => format!("is no key: {KEYS}"),
        }
    })
}

/// What a key may be held with.
const MODIFIERS: [&str; 3] = ["ctrl", "alt", "shift"];

/// Keys that have a name.
const NAMED_KEYS: [&str; 16] = [
    "enter",
    "esc",
    "tab",
    "backtab",
    "backspace",
    "insert",
    "delete",
    "home",
    "end",
    "pageup",
    "pagedown",
    "up",
    "down",
    "left",
    "right",
    "space",
];

/// What a key is to do.
fn action_of(value: &DeValue<'_>) -> Result<Action, String> {
    let Some(name) = value.as_str() else {
        return Err("does what stands behind the = in quotes: \"f5\" = \"repaint\"".to_owned());
    };
    let known = || catalogue::all().into_iter().map(|about| about.name);
    catalogue::named(name).ok_or_else(|| {
        let meant = nearest(name, known());
        let meant = meant.map_or_else(
            || format!("there are {}", listed(&known().collect::<Vec<_>>())),
            |meant| format!("is {meant:?} meant?"),
        );
        format!("{} is no action: {meant}", name_of(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::key::{Key, KeyCode, Modifiers};
    use std::collections::BTreeMap;

    fn key(code: KeyCode, modifiers: Modifiers) -> Key {
        Key::new(code, modifiers)
    }

    #[test]
    fn every_action_has_a_key_and_every_line_of_the_file_is_understood() {
        let keymap = Keymap::unbound().over(DEFAULTS).unwrap();
        for about in catalogue::all() {
            assert!(!keymap.keys(about.action).is_empty(), "{}", about.name);
        }
        let lines = DEFAULTS.lines().filter(|line| line.contains(" = \"") && !line.starts_with('#')).count();
        assert_eq!(keymap.everywhere.len() + keymap.views.values().map(BTreeMap::len).sum::<usize>(), lines);
    }

    #[test]
    fn keys_are_found_as_a_terminal_sends_them() {
        let keymap = Keymap::defaults();
        let action = |code, modifiers| keymap.action(key(code, modifiers), None);
        let none = Modifiers::NONE;
        for (code, modifiers, expected) in [
            (KeyCode::Char('P'), Modifiers::SHIFT, Some(Action::Pause)),
            (KeyCode::Char('P'), none, Some(Action::Pause)),
            (KeyCode::Char('p'), none, None),
            (KeyCode::Char('G'), Modifiers::SHIFT, Some(Action::Bottom)),
            (KeyCode::Char('g'), none, Some(Action::Top)),
            (KeyCode::Char('?'), none, Some(Action::Help)),
            (KeyCode::Char('?'), Modifiers::SHIFT, Some(Action::Help)),
            (KeyCode::Char(':'), none, Some(Action::Palette)),
            (KeyCode::Char('!'), none, Some(Action::Alerts)),
            (KeyCode::Char(' '), none, Some(Action::Freeze)),
            (KeyCode::Char('c'), Modifiers::CONTROL, Some(Action::Quit)),
            (KeyCode::BackTab, Modifiers::SHIFT, Some(Action::PreviousPane)),
            (KeyCode::Tab, none, Some(Action::NextPane)),
            (KeyCode::PageDown, none, Some(Action::PageDown)),
            (KeyCode::Char('-'), none, None),
        ] {
            assert_eq!(action(code, modifiers), expected, "{code:?} {modifiers:?}");
        }
        for (code, expected) in
            [('-', Action::LogLess), ('+', Action::LogMore), ('/', Action::Find), ('N', Action::FindPrevious)]
        {
            let found = keymap.action(key(KeyCode::Char(code), none), view::named("logs").map(|view| view.id()));
            assert_eq!(found, Some(expected), "{code}");
        }
    }

    #[test]
    fn a_file_lays_keys_over_the_defaults_and_says_what_is_wrong() {
        let keymap = Keymap::defaults().over("[everywhere]\n\"p\" = \"pause\"\n\"f5\" = \"repaint\"").unwrap();
        assert_eq!(keymap.keys(Action::Pause), ["P", "p"]);
        assert_eq!(
            keymap.action(key(KeyCode::F(5), Modifiers::NONE), view::named("logs").map(|view| view.id())),
            Some(Action::Repaint)
        );
        for (text, expected) in [
            ("[everywhere]\n\"p\" = \"pausse\"", "line 2, \"p\": \"pausse\" is no action: is \"pause\" meant?"),
            ("[everywhere]\n\"p\" = \"jump\"", "line 2, \"p\": \"jump\" is no action: there are "),
            ("[everywhere]\np = 5", "line 2, \"p\": does what stands behind the = in quotes"),
            ("[logs]\n\"hyper-q\" = \"quit\"", "line 2, \"hyper-q\": is no key: write \"P\", \"f5\""),
            ("[logs]\n\"crtl-q\" = \"quit\"", "line 2, \"crtl-q\": is no key: is ctrl meant?"),
            ("[logs]\n\n\"ctrl-pagup\" = \"quit\"", "line 3, \"ctrl-pagup\": is no key: is pageup meant?"),
            ("[nowhere]\n", "line 1, [nowhere]: a key map has the sections [everywhere] and [logs]"),
            ("\"p\" = \"pause\"", "line 1, [p]: a key map has the sections"),
            ("[logs]\n? = \"help\"", "line 2"),
            ("[logs]\n\"p\" = pause", "line 2, [logs]: a text stands in quotes"),
        ] {
            let fault = Keymap::defaults().over(text).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{text:?}: {fault}");
        }
    }

    #[test]
    fn what_steers_is_guarded_and_ctrl_c_never_is() {
        let keymap = Keymap::defaults().over("[everywhere]\n\"f9\" = \"restart\"\n\"ctrl-p\" = \"pause\"").unwrap();
        let none = Modifiers::NONE;
        for (code, modifiers, expected) in [
            (KeyCode::Char('P'), Modifiers::SHIFT, true),
            (KeyCode::Char('X'), Modifiers::SHIFT, true),
            (KeyCode::Char('u'), none, true),
            (KeyCode::Char('q'), none, true),
            (KeyCode::F(9), none, true),
            (KeyCode::Char('j'), none, false),
            (KeyCode::Char('G'), Modifiers::SHIFT, false),
            (KeyCode::Char('c'), Modifiers::CONTROL, false),
            (KeyCode::Char('p'), Modifiers::CONTROL, false),
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
