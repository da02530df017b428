//! How the screen is set up.

use super::{glyphs::Charset, keymap::Keymap, theme::Theme};

/// How the screen is set up.
#[derive(Clone, Debug)]
pub struct UiOptions {
    /// Its colours.
    pub theme: Theme,
    /// Its characters.
    pub charset: Charset,
    /// Its keys.
    pub keymap: Keymap,
}
