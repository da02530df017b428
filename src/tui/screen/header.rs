//! The header, and the worst thing with its reason.

use ratatui::{layout::Rect, style::Style};

use crate::monitor::{Severity, State as StageState};
use crate::tui::{alert::said, state::State, target::goes_on, text, theme::Token, widget::Canvas};
use crate::units::{about, age, thousands};

pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let (focus, dim) = (canvas.style(Token::Focus), canvas.style(Token::Dim));
    let mut at = 1 + canvas.put(area, 1, 0, "polytape", focus) + 1;
    at += canvas.put(area, at, 0, &text::clean(&shown.about.name, canvas.charset()), Style::new()) + 2;
    let words = words(state, canvas);
    let needed: u16 = words.iter().map(|(word, _)| columns(word) + 2).sum();
    // The states go before whatever is said at the right.
    let mut right = right(state);
    while right.len() > 1 && at + needed + columns(&right.join("  ")) + 2 > area.width {
        right.pop();
    }
    let right = right.join("  ");
    let left = Rect { width: area.width.saturating_sub(columns(&right) + 2), ..area };
    for (word, style) in words {
        at += canvas.put(left, at, 0, &word, style) + 2;
    }
    let style = if state.frozen.is_some() || state.silence().is_some() { canvas.style(Token::Control) } else { dim };
    canvas.put_right(area, 0, &format!("{right} "), style);

    let (worst, style) = worst(state, canvas);
    let count = shown.alerts.len();
    let note = if count > 1 { format!("  1/{count} ! all ") } else { String::new() };
    let line = Rect { width: area.width.saturating_sub(u16::try_from(text::width(&note)).unwrap_or(0)), ..area };
    canvas.put(line, 1, 1, &worst, style);
    canvas.put_right(area, 1, &note, dim);
}

fn columns(text: &str) -> u16 {
    u16::try_from(text::width(text)).unwrap_or(u16::MAX)
}

/// How many stages and replays are in which state, the worst first.
fn words(state: &State, canvas: &Canvas<'_>) -> Vec<(String, Style)> {
    let shown = state.shown();
    let count = |word: StageState| {
        let stages = shown.stages.iter().filter(|stage| stage.state == word).count();
        stages + if word == StageState::Repl { shown.jobs.iter().filter(|job| goes_on(job)).count() } else { 0 }
    };
    let words = StageState::ALL.into_iter().filter(|word| count(*word) > 0);
    words
        .map(|word| {
            let text = format!("{} {word} {}", canvas.charset().state(word), count(word));
            (text, canvas.look.theme.state(word))
        })
        .collect()
}

/// What is said at the right, the first of it rather than the last: how old the picture is where it is old, and what runs.
fn right(state: &State) -> Vec<String> {
    let shown = state.shown();
    if let Some((_, since)) = &state.frozen {
        return vec![format!("FROZEN {}", about(state.now.saturating_sub(*since))), "Space lets it go on".into()];
    }
    if let Some(silence) = state.silence() {
        return vec![format!("no news for {}", age(silence))];
    }
    let world = if shown.about.demo { "demo" } else { shown.about.store.as_str() };
    vec![format!("up {}", about(shown.uptime)), world.to_owned(), shown.about.version.clone()]
}

/// The worst thing in words, or that all is well and what that means.
pub(super) fn worst(state: &State, canvas: &Canvas<'_>) -> (String, Style) {
    let (shown, charset) = (state.shown(), canvas.charset());
    if let Some(alert) = shown.alerts.first() {
        let word = match alert.severity {
            Severity::Bad => format!("{} BAD", charset.state(StageState::Fail)),
            Severity::Warn => format!("{} WARN", charset.state(StageState::Slow)),
            Severity::Info => format!("{} NOTE", charset.dot()),
        };
        let text = text::clean(&said(alert, &state.look.keymap), charset);
        return (format!("{word}  {text}"), canvas.look.theme.severity(alert.severity));
    }
    match (shown.source.watermark, shown.source.blocks_behind()) {
        (Some(watermark), Some(behind)) if behind <= 30 => {
            let block = thousands(watermark.block.saturating_sub(1));
            let text = format!(
                "{} all is well: every fill up to block {block} is in the tables",
                charset.state(StageState::Run)
            );
            (text, canvas.style(Token::Ok))
        }
        _ => {
            let waiting = shown.stages.iter().find_map(|stage| Some((stage.name, stage.cause.as_deref()?)));
            let text = match waiting {
                Some((stage, cause)) => format!("{stage}: {}", text::clean(cause, charset)),
                None => "nothing is known of the source yet".to_owned(),
            };
            (format!("{} {text}", charset.state(StageState::Wait)), canvas.style(Token::Dim))
        }
    }
}
