//! What somebody did, whatever brought it: the bytes of a terminal, or a client that has a terminal of its own.

use std::ops::BitOr;

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Key(Key),
    Paste(String),
}

/// A key, and what was held with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) code: KeyCode,
    pub(crate) held: Modifiers,
}

impl Key {
    pub(crate) const fn new(code: KeyCode, held: Modifiers) -> Self {
        Self { code, held }
    }

    pub(crate) const fn has_control(self) -> bool {
        self.held.contains(Modifiers::CONTROL)
    }
}

impl From<KeyCode> for Key {
    fn from(code: KeyCode) -> Self {
        Self::new(code, Modifiers::NONE)
    }
}

/// A key alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyCode {
    Char(char),
    F(u8),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Insert,
    Delete,
    Home,
    End,
    PageUp,
    PageDown,
    Up,
    Down,
    Left,
    Right,
}

/// Keys that are held, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Modifiers(u8);

impl Modifiers {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const SHIFT: Self = Self(1);
    pub(crate) const ALT: Self = Self(2);
    pub(crate) const CONTROL: Self = Self(4);
    pub(crate) const SUPER: Self = Self(8);
    pub(crate) const HYPER: Self = Self(16);
    pub(crate) const META: Self = Self(32);

    /// Those of an XTerm mask: the sum of what is held.
    pub(crate) const fn of_mask(mask: u8) -> Self {
        Self(mask & 63)
    }

    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Modifiers {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
