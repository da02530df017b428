//! How things look: tokens, not colours, and what each is in a theme.
//!
//! No theme sets a background, so that dark and light terminals both work. Whatever a colour says, a word and a glyph say,
//! too: `mono` has none.

use ratatui::style::{Color, Modifier, Style};

use crate::monitor::{Severity, State};

/// What something means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Text,
    /// Titles of panes and columns, labels.
    Label,
    /// Good to have, not to look at; and what is old.
    Dim,
    Ok,
    Warn,
    Bad,
    /// Somebody steers: paused, draining, a replay.
    Control,
    /// The pane that has the keys.
    Focus,
    /// The selected line.
    Selected,
    /// What was looked for.
    Match,
}

/// A set of looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// The terminal's own sixteen colours.
    Ansi,
    /// Colours that are told apart whatever colours a person sees (Okabe and Ito), of 256.
    Cvd,
    /// No colours at all.
    Mono,
}

impl Theme {
    /// Whether the environment wants no colours (<https://no-color.org>), else the theme that was asked for.
    pub fn detect(asked: Self, variable: impl Fn(&str) -> Option<String>) -> Self {
        let no_color = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        if no_color || variable("TERM").as_deref() == Some("dumb") { Self::Mono } else { asked }
    }

    pub(crate) fn style(self, token: Token) -> Style {
        let plain = Style::new();
        let color = |ansi, cvd| match self {
            Self::Ansi => plain.fg(ansi),
            Self::Cvd => plain.fg(Color::Indexed(cvd)),
            Self::Mono => plain,
        };
        let mono = self == Self::Mono;
        match token {
            Token::Text => plain,
            Token::Label => color(Color::Cyan, 74),
            Token::Dim if mono => plain.add_modifier(Modifier::DIM),
            Token::Dim => color(Color::DarkGray, 244),
            Token::Ok => color(Color::Green, 36),
            Token::Warn if mono => plain.add_modifier(Modifier::BOLD),
            Token::Warn => color(Color::Yellow, 214).add_modifier(Modifier::BOLD),
            Token::Bad if mono => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            Token::Bad => color(Color::Red, 166).add_modifier(Modifier::BOLD),
            Token::Control if mono => plain.add_modifier(Modifier::UNDERLINED),
            Token::Control => color(Color::Magenta, 117),
            Token::Focus => plain.add_modifier(Modifier::BOLD),
            Token::Selected => plain.add_modifier(Modifier::REVERSED),
            Token::Match => plain.add_modifier(Modifier::REVERSED | Modifier::BOLD),
        }
    }

    pub(crate) fn state(self, state: State) -> Style {
        self.style(match state {
            State::Run => Token::Ok,
            State::Idle => Token::Text,
            State::Wait | State::Slow => Token::Warn,
            State::Paus | State::Repl | State::Dran | State::Stop => Token::Control,
            State::Fail => Token::Bad,
            State::Unkn => Token::Dim,
        })
    }

    pub(crate) fn severity(self, severity: Severity) -> Style {
        self.style(match severity {
            Severity::Info => Token::Control,
            Severity::Warn => Token::Warn,
            Severity::Bad => Token::Bad,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Token; 10] = [
        Token::Text,
        Token::Label,
        Token::Dim,
        Token::Ok,
        Token::Warn,
        Token::Bad,
        Token::Control,
        Token::Focus,
        Token::Selected,
        Token::Match,
    ];

    #[test]
    fn no_theme_sets_a_background_and_mono_sets_no_colour() {
        for theme in [Theme::Ansi, Theme::Cvd, Theme::Mono] {
            for token in ALL {
                let style = theme.style(token);
                assert_eq!(style.bg, None, "{theme:?} {token:?}");
                assert!(theme != Theme::Mono || style.fg.is_none(), "{token:?}");
            }
        }
    }

    #[test]
    fn no_color_wins() {
        let set = |name: &'static str, value: &'static str| move |key: &str| (key == name).then(|| value.to_owned());
        assert_eq!(Theme::detect(Theme::Cvd, set("NO_COLOR", "1")), Theme::Mono);
        assert_eq!(Theme::detect(Theme::Cvd, set("NO_COLOR", "")), Theme::Cvd);
        assert_eq!(Theme::detect(Theme::Ansi, set("TERM", "dumb")), Theme::Mono);
        assert_eq!(Theme::detect(Theme::Ansi, |_| None), Theme::Ansi);
    }
}
