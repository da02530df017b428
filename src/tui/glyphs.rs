//! What is drawn with: Unicode, or ASCII where the terminal has nothing else.

use crate::monitor::State;

/// A set of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// Narrow and unambiguous characters only: no emoji, no private ones.
    Unicode,
    /// Seven bits.
    Ascii,
}

impl Charset {
    /// What the environment says of the terminal.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if matches!(set("TERM").as_deref(), Some("linux" | "dumb")) {
            return Self::Ascii;
        }
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| set(name)).unwrap_or_default().to_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") { Self::Unicode } else { Self::Ascii }
    }

    const fn pick<T: Copy>(self, unicode: T, ascii: T) -> T {
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }

    /// A state at a glance. The word beside it says the same.
    pub(crate) const fn state(self, state: State) -> &'static str {
        match state {
            State::Run => self.pick("●", "*"),
            State::Idle => self.pick("○", "o"),
            State::Wait => self.pick("◌", "."),
            State::Slow => self.pick("▲", "!"),
            State::Paus => self.pick("‖", "="),
            State::Repl => self.pick("↻", "<"),
            State::Dran => self.pick("▽", "v"),
            State::Stop => self.pick("■", "-"),
            State::Fail => self.pick("✖", "X"),
            State::Unkn => "?",
        }
    }

    /// Bars from low to high.
    pub(crate) const fn bars(self) -> [&'static str; 8] {
        self.pick(["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"], [".", ".", ":", ":", "-", "=", "+", "#"])
    }

    /// Nothing is known here.
    pub(crate) const fn gap(self) -> &'static str {
        self.pick("·", "?")
    }

    /// Something was cut off here.
    pub(crate) const fn ellipsis(self) -> &'static str {
        self.pick("…", "~")
    }

    /// The selected line begins with it.
    pub(crate) const fn cursor(self) -> &'static str {
        self.pick("▶", ">")
    }

    /// Between one thing and the next.
    pub(crate) const fn dot(self) -> &'static str {
        self.pick("·", "|")
    }

    /// Lines and corners: horizontal, vertical, and the corners from the top left with the clock.
    pub(crate) const fn frame(self) -> [&'static str; 6] {
        self.pick(["─", "│", "╭", "╮", "╯", "╰"], ["-", "|", "+", "+", "+", "+"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn the_environment_decides() {
        let detect = |set: &[(&str, &str)]| {
            Charset::detect(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(detect(&[("LANG", "en_US.UTF-8")]), Charset::Unicode);
        assert_eq!(detect(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")]), Charset::Ascii);
        assert_eq!(detect(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]), Charset::Unicode);
        assert_eq!(detect(&[("LANG", "en_US.UTF-8"), ("TERM", "linux")]), Charset::Ascii);
        assert_eq!(detect(&[]), Charset::Ascii);
    }

    #[test]
    fn everything_is_one_column_and_ascii_is_ascii() {
        for charset in [Charset::Unicode, Charset::Ascii] {
            let mut all = vec![charset.gap(), charset.ellipsis(), charset.cursor(), charset.dot()];
            all.extend(charset.bars());
            all.extend(charset.frame());
            all.extend(State::ALL.map(|state| charset.state(state)));
            for glyph in all {
                assert_eq!(glyph.width(), 1, "{glyph}");
                assert!(charset == Charset::Unicode || glyph.is_ascii(), "{glyph}");
            }
        }
    }

    #[test]
    fn states_look_different() {
        for charset in [Charset::Unicode, Charset::Ascii] {
            let glyphs: std::collections::BTreeSet<_> = State::ALL.map(|state| charset.state(state)).into();
            assert_eq!(glyphs.len(), State::ALL.len());
        }
    }
}
