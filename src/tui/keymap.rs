//! Which key does what. How that is read from a file is in `keymap_file`.

use std::collections::BTreeMap;

use crokey::{KeyCombination, KeyCombinationFormat};

use super::key::{Key, KeyCode, Modifiers};
use super::{action::Action, view_id::ViewId};

/// Keys and what they do.
#[derive(Clone, Debug, Default)]
pub struct Keymap {
    /// In every view.
    pub(super) everywhere: BTreeMap<String, Action>,
    /// Of the views that offer actions of their own.
    pub(super) views: BTreeMap<ViewId, BTreeMap<String, Action>>,
    /// The actions that a view alone offers.
    pub(super) owners: BTreeMap<Action, ViewId>,
}

impl Keymap {
    /// What a key does, in a view or everywhere.
    pub(crate) fn action(&self, key: Key, view: Option<ViewId>) -> Option<Action> {
        let key = show(combination(key).normalized());
        let here = view.and_then(|view| self.views.get(&view)?.get(&key));
        here.or_else(|| self.everywhere.get(&key)).copied()
    }

    /// Whether a key steers the pipeline somewhere, and could be a part of what a terminal sends by itself: that holds no
    /// control characters, so that Ctrl-C always counts.
    pub(crate) fn is_guarded(&self, key: &Key) -> bool {
        let steers = |view| self.action(*key, view).is_some_and(Action::steers);
        !key.has_control() && (steers(None) || self.views.keys().any(|view| steers(Some(*view))))
    }

    /// The shortest key of an action.
    pub(crate) fn key(&self, action: Action) -> Option<&str> {
        self.all(action).min_by_key(|key| (key.len(), *key))
    }

    /// The keys of an action, the shortest first.
    pub(crate) fn keys(&self, action: Action) -> Vec<&str> {
        let mut keys: Vec<&str> = self.all(action).collect();
        keys.sort_by_key(|key| (key.len(), *key));
        keys
    }

    fn all(&self, action: Action) -> impl Iterator<Item = &str> {
        let map = match self.owners.get(&action) {
            None => Some(&self.everywhere),
            Some(view) => self.views.get(view),
        };
        map.into_iter().flatten().filter(move |(_, does)| **does == action).map(|(key, _)| key.as_str())
    }
}

/// A key as the library that reads and writes their names has it.
fn combination(key: Key) -> KeyCombination {
    use crossterm::event::{KeyCode as Code, KeyModifiers};
    let code = match key.code {
        KeyCode::Char(character) => Code::Char(character),
        KeyCode::F(number) => Code::F(number),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Insert => Code::Insert,
        KeyCode::Delete => Code::Delete,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
    };
    let held = [
        (Modifiers::SHIFT, KeyModifiers::SHIFT),
        (Modifiers::ALT, KeyModifiers::ALT),
        (Modifiers::CONTROL, KeyModifiers::CONTROL),
        (Modifiers::SUPER, KeyModifiers::SUPER),
        (Modifiers::HYPER, KeyModifiers::HYPER),
        (Modifiers::META, KeyModifiers::META),
    ];
    let held: KeyModifiers =
        held.into_iter().filter(|(ours, _)| key.held.contains(*ours)).map(|(_, its)| its).collect();
    KeyCombination::new(code, held)
}

/// A key as it is shown: `P`, `Ctrl-c`, `PageUp`.
pub(super) fn show(key: KeyCombination) -> String {
    let text = KeyCombinationFormat::default().with_implicit_shift().to_string(key);
    match text.as_str() {
        "Hyphen" => "-".to_owned(),
        "BackTab" | "Shift-BackTab" => "BackTab".to_owned(),
        _ => text,
    }
}
